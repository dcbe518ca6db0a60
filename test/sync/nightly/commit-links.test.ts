import { expect, it } from 'vitest';
import { commitLinks } from '../../../src/sync/nightly/commit-links.ts';
import type { NightlyConfig } from '../../../src/sync/nightly/load-config.ts';
import type { RulePack } from '../../../src/sync/rules/model.ts';

const pack = { info: { upstream: { repository: 'canonical/lxd' } } } as RulePack;
const configOf = (apiUrl: string, commitUrl?: string): NightlyConfig =>
  ({ publish: { repository: 'lxc/incus', commitUrl }, forge: { apiUrl } }) as NightlyConfig;

it("links upstream's commits by the pack's name of it, and the fork's where it is published", () => {
  expect(commitLinks(configOf('https://api.github.com'), pack)).toEqual({
    upstream: 'https://github.com/canonical/lxd/commit/',
    fork: 'https://github.com/lxc/incus/commit/',
  });
});

it('links them where the configuration says', () => {
  const links = commitLinks(configOf('https://forge.example/api/v3', 'https://mirror.example/c/'), pack);

  expect(links).toEqual({
    upstream: 'https://mirror.example/c/',
    fork: 'https://forge.example/lxc/incus/commit/',
  });
});
