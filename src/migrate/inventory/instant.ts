// Moments in the one form in which two inventories can be compared.
import type { Instant } from '../model/inventory.ts';

const stored = /^(\d{4,})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))?$/;

/**
 * A moment as SQLite's Go drivers store it (`2026-11-23 15:23:28.26+00:00`, seconds since 1970) or as the API writes it.
 * Go's zero time and the start of 1970 both stand for "never". Text of another form is returned as it is.
 */
export function instant(value: unknown): Instant {
  if (value === null || value === undefined || value === '') return null;
  if (typeof value === 'number') {
    const date = new Date(value * 1000);
    return Number.isNaN(date.getTime()) ? String(value) : orNever(seconds(date), '');
  }
  const text = String(value);
  const match = stored.exec(text);
  if (match === null) return text;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '', fraction = ''] = match;
  const digits = fraction.replace(/0+$/, '');
  const offset = (Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0)) * (match[8] === '-' ? -1 : 1);
  if (offset === 0) return orNever(`${year}-${month}-${day}T${hour}:${minute}:${second}`, digits);
  const date = new Date(0);
  // Not Date.UTC(), which takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute) - offset, Number(second));
  return Number.isNaN(date.getTime()) ? text : orNever(seconds(date), digits);
}

function orNever(moment: string, digits: string): Instant {
  if (digits === '' && (moment === '0001-01-01T00:00:00' || moment === '1970-01-01T00:00:00')) return null;
  return `${moment}${digits === '' ? '' : `.${digits}`}Z`;
}

function seconds(date: Date): string {
  return date.toISOString().slice(0, -'.000Z'.length);
}
