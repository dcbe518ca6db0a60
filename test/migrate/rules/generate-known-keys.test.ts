// The list of keys that Incus knows: made from the data of its documentation, and committed as it was made.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { generateKnownKeys } from '../../../src/dev/generate-known-keys.ts';

test('keys of all releases count, by entity, without volatile ones, and names in them are placeholders', () => {
  const [one, two] = ['made.up', 'bgp.peers.NAME.made_up'].map((key) => ({
    configs: { network_bridge: { common: { keys: [{ [key]: {} }, { 'volatile.x': {} }] } } },
  }));
  const image = { configs: { image: { requirements: { keys: [{ other: {} }] } } } };

  const text = generateKnownKeys([one, two, image].filter((documentation) => documentation !== undefined));

  expect(parse(text).known_keys).toMatchObject({
    network: ['bgp.peers.<name>.made_up', 'made.up', 'user.*'],
    'network-acl': ['user.*'],
  });
  expect(text).not.toContain('other');
});

test('what is committed was written by the script: its head and its form', () => {
  const committed = readFileSync(
    join(import.meta.dirname, '../../../rules/migration/known-keys.yaml'),
    'utf8',
  );
  const head = generateKnownKeys([]).split('known_keys:')[0] ?? '';

  expect(committed).toBe(head + stringify(parse(committed), { lineWidth: 0 }));
});
