// What counts as confidential, and that nothing of it can be read from what is shown instead.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isConfidentialKey, showValue, veil } from '../../src/core/secret.ts';
import { anyText } from '../any-text.ts';

test.each([
  'user.user-data',
  'user.note',
  'cloud-init.user-data',
  'cloud-init.ssh-keys.admin',
  'environment.PATH',
  'raw.lxc',
  'raw.qemu.conf',
  'core.trust_password',
  'loki.auth.password',
  'oidc.client.secret',
  'maas.api.key',
  'candid.api.key',
  'rbac.agent.private_key',
  'rbac.agent.public_key',
  'cluster.join_token',
  'security.secret.anything',
  'KEY',
  'apiToken',
  'acme.provider.environment',
  'acme.eab.hmac',
  'security.sev.session.data',
  'systemd.credential.db',
  'systemd.credential-binary.db',
  'smbios11.io.systemd.credential',
  'bgp.peers.a.password',
])('%s is confidential', (key) => {
  expect(isConfidentialKey(key)).toBe(true);
  expect(showValue(key, 'a value')).toBe(veil('a value'));
});

test.each([
  'limits.memory',
  'security.nesting',
  'volatile.eth0.hwaddr',
  'boot.autostart',
  'ipv4.address',
  'source',
  'username',
  'a.user.b',
])('%s is shown', (key) => {
  expect(isConfidentialKey(key)).toBe(false);
  expect(showValue(key, 'a value')).toBe('a value');
});

test.each([
  ['core.proxy_http', 'http://me:hunter2@proxy:3128'],
  ['source', '//server/share,username=me,password=hunter2'],
  ['loki.api.url', 'https://loki/push?token=hunter2'],
])('a value that holds a credential is not shown, whatever its key: %s', (key, value) => {
  expect(showValue(key, value)).toBe(veil(value));
});

test('a veil tells the length in bytes, and equal values look equal', () => {
  expect(veil('päss')).toBe(veil(Buffer.from('päss')));
  expect(veil('päss')).toMatch(/^\(5 bytes, sha256 [0-9a-f]{12}…\)$/);
  expect(veil('a')).not.toBe(veil('b'));
  expect(veil('')).toMatch(/^\(0 bytes, /);
});

test('no value of four characters or more can be read in its veil', () => {
  // The fixed words of a veil, and four digits of hash that a short value happens to spell, are no disclosure.
  const frame = veil('').replace(/[0-9a-f]{12}/, '');
  const value = fc
    .oneof(fc.string({ minLength: 4 }), anyText, fc.uuid())
    .filter((text) => text.length >= 4 && !frame.includes(text) && !/^[0-9a-f]{1,8}$/.test(text));

  fc.assert(
    fc.property(value, (text) => {
      expect(veil(text)).not.toContain(text);
      expect(showValue('user.x', text)).not.toContain(text);
    }),
  );
});
