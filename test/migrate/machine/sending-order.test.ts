// Subvolumes are sent after what they are snapshots of, and as the difference from that.
import { expect, test } from 'vitest';
import { sendingOrder } from '../../../src/migrate/machine/sending-order.ts';
import type { Subvolume } from '../../../src/migrate/machine/subvolumes.ts';

function subvolume(uuid: string, parent?: string): Subvolume {
  return { path: `containers/${uuid}`, uuid, parent, received: false, readOnly: false };
}

function order(...subvolumes: readonly Subvolume[]): Record<string, string[]> {
  return Object.fromEntries(
    sendingOrder(subvolumes).map(({ subvolume: { uuid }, relatives }) => [
      uuid,
      relatives.map((one) => one.uuid),
    ]),
  );
}

test('an image comes before its containers, and those before their snapshots', () => {
  const sent = order(subvolume('snapshot', 'container'), subvolume('container', 'image'), subvolume('image'));

  expect(Object.entries(sent)).toEqual([
    ['image', []],
    ['container', ['image']],
    ['snapshot', ['container']],
  ]);
});

test('snapshots of the same are relatives, even where that is gone; the next of kin comes first', () => {
  expect(order(subvolume('first', 'gone'), subvolume('second', 'gone'))).toEqual({
    first: [],
    second: ['first'],
  });
  expect(
    order(subvolume('first', 'container'), subvolume('second', 'container'), subvolume('container')),
  ).toEqual({ container: [], first: ['container'], second: ['container', 'first'] });
});

test('a container that was restored comes after the snapshot that it was restored from', () => {
  expect(
    Object.entries(order(subvolume('container', 'snapshot'), subvolume('snapshot', 'old container'))),
  ).toEqual([
    ['snapshot', []],
    ['container', ['snapshot']],
  ]);
});

test('strangers share nothing; a ring, which no file system makes, comes to an end', () => {
  expect(order(subvolume('a'), subvolume('b'))).toEqual({ a: [], b: [] });
  expect(Object.keys(order(subvolume('a', 'b'), subvolume('b', 'a')))).toEqual(['a', 'b']);
});

test('of many relatives some are enough', () => {
  const many = Array.from({ length: 100 }, (_, index) => subvolume(`s${index}`, 'container'));

  expect(order(subvolume('container'), ...many)['s99']).toHaveLength(16);
});

test('twenty thousand snapshots take no more than a moment', () => {
  const many = Array.from({ length: 20_000 }, (_, index) => subvolume(`s${index}`, `container${index % 7}`));
  const processor = process.cpuUsage();

  const sendings = sendingOrder([
    ...Array.from({ length: 7 }, (_, index) => subvolume(`container${index}`)),
    ...many,
  ]);

  expect(sendings).toHaveLength(20_007);
  expect(sendings.at(-1)?.relatives).toHaveLength(16);
  // Processor time, not the clock. Rows times rows took some 20 s.
  expect(process.cpuUsage(processor).user / 1e6).toBeLessThan(3);
});
