// Moments in their one form.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { instant } from '../../../src/migrate/inventory/instant.ts';

test.each([
  ['2026-11-23 15:23:28.261613816+00:00', '2026-11-23T15:23:28.261613816Z'],
  ['2026-11-23 15:23:28.100000000+00:00', '2026-11-23T15:23:28.1Z'],
  ['2026-11-23T15:23:28Z', '2026-11-23T15:23:28Z'],
  ['2026-11-23 15:23:28', '2026-11-23T15:23:28Z'],
  ['2026-11-23T17:23:28.5+02:00', '2026-11-23T15:23:28.5Z'],
  ['2026-11-23T23:59:59-05:30', '2026-11-24T05:29:59Z'],
  [1795447407, '2026-11-23T15:23:27Z'],
])('%s is %s', (stored, expected) => {
  expect(instant(stored)).toBe(expected);
});

test.each([
  null,
  undefined,
  '',
  0,
  '0001-01-01 00:00:00+00:00',
  '0001-01-01T00:00:00Z',
  '1970-01-01 00:00:00+00:00',
])('%s is no moment', (stored) => {
  expect(instant(stored)).toBeNull();
});

test('text of another form is kept', () => {
  expect(instant('yesterday')).toBe('yesterday');
});

test('a moment in its one form stays as it is, in every time zone it was written in', () => {
  const moments = fc.date({ min: new Date('1971-01-01'), max: new Date('2200-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(moments, fc.integer({ min: -14 * 60, max: 14 * 60 }), (date, offset) => {
      const once = instant(date.toISOString());
      const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, -1);
      const minutes = Math.abs(offset);
      const zone = `${offset < 0 ? '-' : '+'}${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

      expect(instant(once)).toBe(once);
      expect(instant(`${local}${zone}`)).toBe(once);
    }),
  );
});
