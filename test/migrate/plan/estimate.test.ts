// What a plan says about time: from how much is on the server, and no more exactly than it can be known.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Plan } from '../../../src/migrate/model/plan.ts';
import { type Estimate, estimate, inWords, roughly } from '../../../src/migrate/plan/estimate.ts';
import { instance } from '../convert/converted.ts';
import { lxdDatabase } from '../lxd-database.ts';
import { machineWith, planOf } from './planned.ts';

const server = (): ReturnType<typeof machineWith> =>
  machineWith(lxdDatabase(`${instance(1, 'c1')} ${instance(2, 'c2')}`));

async function planWith(instances: number, running: number): Promise<Plan> {
  const { plan } = await planOf(server());
  const names = Array.from({ length: running }, (_, index) => `default/c${index}`);
  return { ...plan, counts: { instances, snapshots: 0 }, power: { running: names, frozen: [] } };
}

test('a plan of a whole server counts its instances and snapshots', async () => {
  const { plan } = await planOf(server());

  expect(plan.counts).toEqual({ instances: 2, snapshots: 0 });
  expect(estimate(plan)).toBeDefined();
});

test('more instances take longer, and of more that run the last one is down longer', async () => {
  const small = estimate(await planWith(10, 2));
  const large = estimate(await planWith(2000, 40));

  expect(large?.whole).toBeGreaterThan(small?.whole ?? Number.NaN);
  expect(large?.lastDown).toBeGreaterThan(large?.firstDown ?? Number.NaN);
});

test('nothing is said where nothing will be done, or where it is not known how much there is', async () => {
  const { counts: _counts, ...without } = await planWith(10, 2);

  expect(estimate({ ...(await planWith(10, 2)), steps: [] })).toBeUndefined();
  expect(estimate(without)).toBeUndefined();
});

test.each<[Partial<Estimate>, string]>([
  [
    {},
    'about 20 s, rehearsal and verification included; what runs is down for about 5 s (the first to start) to 10 s (the last) of it, and as long as instances take to stop',
  ],
  [
    { lastDown: 4.5 },
    'about 20 s, rehearsal and verification included; what runs is down for about 5 s of it, and as long as instances take to stop',
  ],
  [
    { firstDown: undefined, lastDown: undefined },
    'about 20 s, rehearsal and verification included; nothing runs that would be down',
  ],
])('in words: %j', (given, words) => {
  const time = { whole: 17, afterRehearsal: 14, firstDown: 4.5, lastDown: 7, copies: false, ...given };

  expect(inWords(time)).toBe(words);
});

test('data that is copied takes as long as it takes', () => {
  const words = inWords({ whole: 17, afterRehearsal: 14, firstDown: 4.5, lastDown: 7, copies: true });

  expect(words).toContain('data to be copied, most of it before anything stops');
});

test('an estimate is never said to be shorter than it is, nor to the second', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 100_000, noNaN: true }), (seconds) => {
      const [, number = '', unit] = /^(\d+) (s|min)$/.exec(roughly(seconds)) ?? [];
      const said = Number(number) * (unit === 'min' ? 60 : 1);
      expect(said).toBeGreaterThanOrEqual(seconds);
      expect(said - seconds).toBeLessThanOrEqual(unit === 'min' ? 60 : 5);
    }),
  );
});
