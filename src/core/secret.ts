// What may never be shown: which values are confidential, and what stands in their place.
import { createHash } from 'node:crypto';

const confidentialPrefixes = ['user.', 'cloud-init.', 'environment.', 'raw.'];
const confidentialWords = /secret|password|token|key/i;

/** Whether the value of a configuration key must not be shown (the list is part of the command-line contract). */
export function isConfidentialKey(key: string): boolean {
  return confidentialPrefixes.some((prefix) => key.startsWith(prefix)) || confidentialWords.test(key);
}

/** `scheme://user:password@host`, as proxies and registries are given. */
const credentialsInUrl = /:\/\/[^\s/@]*:[^\s/@]+@/;

/** Whether a value must not be shown: because of its key, or because it holds a password all the same. */
export function isConfidential(key: string, value: string): boolean {
  return isConfidentialKey(key) || credentialsInUrl.test(value);
}

/** Stands for a confidential value: equal values look equal, and the value cannot be read. */
export function veil(value: string | Buffer): string {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return `(${bytes.length} bytes, sha256 ${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}…)`;
}

/** The value of a key as it may be shown. */
export function showValue(key: string, value: string): string {
  return isConfidential(key, value) ? veil(value) : value;
}
