import { expect, test } from 'vitest';
import { livedTime } from './lived-time.ts';

function clockOf(): { now: number } {
  return { now: 5_000 };
}

test('counts what passes from look to look, from the last start on', () => {
  const clock = clockOf();
  const lived = livedTime(() => clock.now);
  clock.now += 900;
  lived.tick();

  lived.start();
  for (let look = 0; look < 1_200; look += 1) {
    clock.now += 100;
    lived.tick();
  }

  expect(lived.tick()).toBe(120_000);
});

test('a process that was stopped for minutes has lived through a second of them at most', () => {
  const clock = clockOf();
  const lived = livedTime(() => clock.now);
  clock.now += 100;
  lived.tick();

  clock.now += 180_000;

  expect(lived.tick()).toBe(1_100);
});
