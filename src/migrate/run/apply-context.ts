// What the steps of a run are given.
import Database from 'better-sqlite3';
import type { Host } from '../../core/host.ts';
import { once } from '../../core/once.ts';
import { inline } from '../../core/text.ts';
import type { ApplyContext } from '../apply/step-handler.ts';
import type { Asked } from '../condition/look-at-server.ts';
import { startedByItself } from '../convert/index.ts';
import { nothingRemembered } from '../daemon/remembering-client.ts';
import { sizeOf } from '../daemon/server-size.ts';
import { tellingLines } from '../daemon/telling-lines.ts';
import { readInventory } from '../inventory/database/read-inventory.ts';
import { noteNames, requiredNote, toPowerRecord } from '../journal/noted.ts';
import { conversions } from './conversions.ts';
import type { RunWork } from './run-work.ts';

/** @param title of the step that is carried out */
export function applyContext(
  { host, plannedOn, journal, run, stopLimitMs, forceStop, interrupted, say, warn }: RunWork,
  title: () => string,
  {
    saidByTarget,
    prepareVerification,
  }: Pick<ApplyContext, 'saidByTarget' | 'prepareVerification'> = notVerified(),
): ApplyContext {
  const conversion = conversions(host, plannedOn);
  return {
    host,
    journal,
    run,
    size: sizeOf(plannedOn.sourceImage),
    stopLimitMs,
    forceStop,
    interrupted,
    differences: conversion.differences,
    wouldStart: () => wouldStart(plannedOn.sourceImage),
    askedByPlan: () => lately(host, plannedOn.asked),
    saidByTarget,
    prepareVerification,
    sourceInventory: once(() => readInventory(plannedOn.sourceImage)),
    prepareConversion: () => conversion.prepare(toPowerRecord(requiredNote(journal, run, noteNames.power))),
    prepareComparison: conversion.prepareComparison,
    convertAgain: conversion.again,
    tellingLines: (log) => tellingLines(log, plannedOn.sourceImage),
    say: (text) => say(`${title()}: ${text}`),
    warn: (text) => warn(inline(text)),
    leaveOpen(what) {
      const known = journal.noted(run, noteNames.leftOpen) ?? [];
      if (!known.includes(what)) journal.note(run, noteNames.leftOpen, [...known, what]);
    },
  };
}

/** Of work after which nothing is verified. */
function notVerified(): Pick<ApplyContext, 'saidByTarget' | 'prepareVerification'> {
  return { saidByTarget: nothingRemembered(), prepareVerification() {} };
}

/** Longer ago than a rehearsal of a usual server, somebody has been thinking, or resumes. */
const latelyMs = 60_000;

function lately(host: Host, asked: Asked | undefined): Asked | undefined {
  return asked !== undefined && host.clock() - asked.at <= latelyMs ? asked : undefined;
}

function wouldStart(image: Buffer): string[] {
  const db = new Database(image);
  try {
    return startedByItself(db);
  } finally {
    db.close();
  }
}
