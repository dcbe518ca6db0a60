// The key rules are made by a script: from a small study here, and what is committed is what the script writes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { generateKeyRules, type StudiedKey, type Study } from '../../../src/dev/generate-key-rules.ts';

const committed = readFileSync(
  join(import.meta.dirname, '../../../rules/migration/config-keys.yaml'),
  'utf8',
);

function studied(key: Partial<StudiedKey>): StudiedKey {
  return {
    entity: 'instance',
    type: null,
    key: 'a.key',
    in_lxd: ['5.0.0', '6.9'],
    in_incus: [],
    action: 'drop',
    reason: 'Has no effect.',
    seen: 'somewhere:1',
    ...key,
  };
}

function study(...keys: StudiedKey[]): Study {
  return {
    keys,
    pattern_rules: {
      volatile_fixed: { '6.0.4': ['volatile.uuid'], '7.0.2-pre (x)': ['volatile.uuid', 'volatile.new'] },
      volatile_device_suffixes: { '6.0.4': ['.name'] },
    },
  };
}

function generated(...keys: StudiedKey[]): { keys: Record<string, unknown>[]; volatile: unknown } {
  return parse(generateKeyRules(study(...keys))) as { keys: Record<string, unknown>[]; volatile: unknown };
}

test('a key becomes a rule with its releases and its reason', () => {
  expect(generated(studied({})).keys).toEqual([
    {
      id: 'instance/a.key',
      entity: 'instance',
      key: 'a.key',
      action: 'drop',
      severity: 'change',
      lxd: '5.0.0 - 6.9',
      because: 'Has no effect.',
      seen: 'somewhere:1',
    },
  ]);
});

test('one key of several types becomes one rule for these types', () => {
  const { keys } = generated(
    studied({ type: 'vm' }),
    studied({ type: 'container' }),
    studied({ type: 'vm' }),
  );

  expect(keys.map(({ id, types }) => [id, types])).toEqual([['instance/a.key', ['vm', 'container']]]);
});

test('keys of drivers that Incus does not have, and keys that Incus has too, need no rule', () => {
  expect(generated(studied({ type: 'pure' }), studied({ action: 'keep-if-matching' })).keys).toEqual([]);
});

test('what cannot be done by data alone stands in the way', () => {
  expect(generated(studied({ action: 'rewrite value' })).keys).toMatchObject([
    { action: 'block', severity: 'blocker' },
  ]);
});

test('a reason that tells of a loss makes one, but not for what the daemon writes by itself', () => {
  const lost = { reason: 'No Incus equivalent: report.' };

  expect(
    generated(studied(lost), studied({ ...lost, key: 'volatile.x' })).keys.map(({ severity }) => severity),
  ).toEqual(['loss', 'change']);
});

test('a version counts from the first release that has the key', () => {
  expect(generated().volatile).toEqual({
    keys: { 'volatile.uuid': '6.0.4', 'volatile.new': '7.0.2' },
    device_suffixes: { '.name': '6.0.4' },
  });
});

test('what is committed was written by the script: its head, its form, its decisions', () => {
  const document = parse(committed) as { keys: Record<string, unknown>[] };
  const head = generateKeyRules(study()).split('keys:')[0] ?? '';

  expect(committed).toBe(head + stringify(document, { lineWidth: 0 }));
  expect(document.keys.find(({ id }) => id === 'network/bridge.mode')).toMatchObject({
    unless: { value: 'fan', action: 'block', severity: 'blocker' },
  });
  // With the study at hand (a JSON file), the whole of it: KEY_STUDY=FILE npm test
  const path = process.env['KEY_STUDY'];
  if (path !== undefined)
    expect(generateKeyRules(JSON.parse(readFileSync(path, 'utf8')) as Study)).toBe(committed);
});
