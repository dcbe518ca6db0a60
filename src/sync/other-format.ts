// What another version of fork-sync wrote: who it was, and what to do about it.
import { toolVersion } from '../core/version.ts';

/** The format of everything that is written down, but for caches, which have numbers of their own. */
export const formatNumber = 1;

/** Begins whatever this version writes down: older and newer versions know by it what they read. */
export const writtenHere = { format: formatNumber, writtenBy: `fork-sync ${toolVersion}` } as const;

export interface OtherFormat {
  readonly format: string;
  readonly writer: string | undefined;
}

/** Undefined where the format is the one that is read here; what has no number is of the first. */
export function otherFormatOf(value: unknown): OtherFormat | undefined {
  if (typeof value !== 'object' || value === null || !('format' in value)) return undefined;
  if (value.format === formatNumber) return undefined;
  const writer = 'writtenBy' in value && typeof value.writtenBy === 'string' ? value.writtenBy : undefined;
  return { format: JSON.stringify(value.format) ?? '', writer };
}

/** Goes on after the name of what was read. */
export function describeFormat({ format, writer }: OtherFormat): string {
  return `it is of format ${format}, written by ${writer ?? 'another version'}; fork-sync ${toolVersion} reads format ${formatNumber}: use that version, or a newer one than both`;
}
