// Converts the source's database while a run is carried out, and tells how it differs from the one that was planned.
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../core/host.ts';
import { type CheckedSegments, raftPosition, readDatabase } from '../../dqlite/index.ts';
import type { FreshConversion } from '../apply/step-handler.ts';
import { writeDatabaseDirectory } from '../apply/write-database.ts';
import type { Asked } from '../condition/look-at-server.ts';
import type { Plan } from '../model/plan.ts';
import type { PowerRecord } from '../model/power.ts';
import { driftSince } from '../plan/drift.ts';
import { convertFiles } from '../plan/index.ts';

/** What a run was planned on. */
export interface PlannedOn {
  readonly plan: Plan;
  readonly sourceImage: Buffer;
  readonly pinsFromHost: ReadonlyMap<string, string>;
  /** What the source said to the plan; of a run that is resumed it is not known. */
  readonly asked?: Asked;
  /** What the plan has found whole of the source's log. */
  readonly checked?: CheckedSegments;
}

export interface Conversions {
  /** Converts ahead of time, while the daemon is still stopping; again only where its databases have changed since. */
  prepare(power: PowerRecord): void;
  again(power: PowerRecord): FreshConversion;
  /** Lines on what differs by now, without converting. */
  differences(): string[];
  /** Reads what `differences` and `again` compare with ahead of time. */
  prepareComparison(): void;
}

/**
 * Converts the source as it is now. What was prepared while the daemon was stopping is taken where its databases stand
 * as they stood then.
 */
export function conversions(
  host: Host,
  { plan, sourceImage, pinsFromHost, checked = new Set() }: PlannedOn,
): Conversions {
  const drift = driftSince(sourceImage);
  const database = host.path(join(plan.source.dataDirectory, 'database'));
  const stateNow = (): string => {
    const local = fs.statSync(join(database, 'local.db'), { throwIfNoEntry: false });
    return JSON.stringify([raftPosition(join(database, 'global')), local?.mtimeMs, local?.size]);
  };
  const convertNow = (power: PowerRecord): FreshConversion => {
    const { content, conversion } = convertFiles(host, plan.source.dataDirectory, {
      plan,
      power,
      pinsFromHost,
      checked,
    });
    return {
      differences: drift.since(content.image.bytes),
      held: conversion.held,
      changes: conversion.changes,
      write: (folder) => writeDatabaseDirectory(folder, conversion, content),
    };
  };
  let prepared: { readonly state: string; readonly conversion: FreshConversion } | undefined;
  return {
    differences() {
      const { lastIndex, lastTerm } = raftPosition(join(database, 'global'));
      // No entry has come since: nothing needs to be compared.
      if (lastIndex === plan.position.lastIndex && lastTerm === plan.position.lastTerm) return [];
      return drift.since(readDatabase(join(database, 'global'), { checked }).bytes);
    },
    prepareComparison: () => drift.prepare(),
    prepare(power) {
      const state = stateNow();
      if (prepared?.state === state) return;
      prepared = { state, conversion: convertNow(power) };
    },
    again(power) {
      return prepared !== undefined && prepared.state === stateNow()
        ? prepared.conversion
        : convertNow(power);
    },
  };
}
