// What may never be shown: which values are confidential, and what stands in their place.
import { createHash } from 'node:crypto';

const confidentialPrefixes = ['user.', 'cloud-init.', 'environment.', 'raw.'];
const confidentialWords = /secret|password|token|key|credential/i;

/**
 * Keys of both projects whose names do not tell that they hold credentials: what an ACME client is given to change a
 * zone, its account's binding, the session of an encrypted guest, and what systemd of a guest takes as credentials
 * (cluster/config/config.go, internal/instance/config.go).
 */
const confidentialKeys =
  /^(?:acme\.provider\.environment|acme\.eab\.(?:hmac|kid)|security\.sev\.session\..*|smbios11\..*)$/;

/** Whether the value of a configuration key must not be shown (the list is part of the command-line contract). */
export function isConfidentialKey(key: string): boolean {
  return (
    confidentialPrefixes.some((prefix) => key.startsWith(prefix)) ||
    confidentialWords.test(key) ||
    confidentialKeys.test(key)
  );
}

/** `scheme://user:password@host`, as proxies and registries are given, or `…?token=…`, `…,password=…`. */
const credentialsInValue =
  /:\/\/[^\s/@]*:[^\s/@]+@|(?:^|[\s?&,;])[\w.-]*(?:secret|passw(?:or)?d|token|api_?key)=[^\s&,;]/i;

/** Whether a value must not be shown: because of its key, or because it holds a password all the same. */
export function isConfidential(key: string, value: string): boolean {
  return isConfidentialKey(key) || credentialsInValue.test(value);
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
