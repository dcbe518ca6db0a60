// Whether what a cache holds is of the form in which it was written: a file on a disk may hold anything.
import type { GoFile } from '../rewrite/go/scan-go.ts';
import type { Lesson } from '../scan/lessons.ts';
import type { DetailedPick } from './pick-commit.ts';
import type { Remembered } from './remembered-chain.ts';

/** A pick is made of many parts, and only this engine writes it: what is used of it at once must be there. */
export function isPick(value: unknown): value is DetailedPick {
  if (!hasFields(value, { outcomes: areRecords, signs: areRecords, result: isRecord })) return false;
  return hasFields(value.result, {
    upstream: isText,
    onto: isText,
    status: isText,
    tree: isTextOrNothing,
    commit: isTextOrNothing,
    files: areRecords,
    doubts: areRecords,
    conflicts: areRecords,
    reasons: areTexts,
  });
}

/** A pick in a chain, with where that was and what decided it. */
export function isRemembered(value: unknown): value is Remembered {
  return hasFields(value, {
    start: isText,
    tip: isText,
    moreFollows: isFlag,
    made: isPick,
    decidedBy: isTextOrNothing,
  });
}

export function isLesson(value: unknown): value is Lesson {
  const isPath = { upstream: isText, fork: isText, made: isFlag };
  const isLine = { upstream: isText, fork: isText, kind: isText };
  return hasFields(value, { paths: areAll(isPath), lines: areAll(isLine) });
}

export function isGoFile(value: unknown): value is GoFile {
  const isFunction = { name: isText, parameters: isNumber, variadic: isFlag };
  return hasFields(value, {
    packageName: isText,
    imports: areRecords,
    exported: areTexts,
    functions: areAll(isFunction),
    declared: areHashes,
    words: areHashes,
  });
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

type Is = (value: unknown) => boolean;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasFields<K extends string>(
  value: unknown,
  fields: Readonly<Record<K, Is>>,
): value is Readonly<Record<K, unknown>> {
  return isRecord(value) && Object.entries<Is>(fields).every(([name, is]) => is(value[name]));
}

function areAll(fields: Readonly<Record<string, Is>>): Is {
  return (value) => Array.isArray(value) && value.every((one) => hasFields(one, fields));
}

const isFlag: Is = (value) => typeof value === 'boolean';
const isNumber: Is = (value) => typeof value === 'number';
const isTextOrNothing: Is = (value) => value === undefined || isText(value);
const areTexts: Is = (value) => Array.isArray(value) && value.every(isText);
const areRecords: Is = (value) => Array.isArray(value) && value.every(isRecord);
const areHashes: Is = (value) => value instanceof Uint32Array;
