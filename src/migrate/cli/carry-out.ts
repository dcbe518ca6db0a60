// Carries out, or goes on with, a run: the steps, then verify, then the report; what migrate and resume have in common.
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { writeFileDurable } from '../../core/durable.ts';
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import { Failure, systemErrorCode } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { once } from '../../core/once.ts';
import type { Output } from '../../core/output.ts';
import { readRegularFile } from '../../core/read-regular-file.ts';
import { formatBytes, formatDuration, inert, inline } from '../../core/text.ts';
import { conversions, type PlannedOn } from '../apply/conversions.ts';
import { applySteps, type StepProgress } from '../apply/index.ts';
import { keptFromStarting } from '../apply/kept-from-starting.ts';
import { listFolder } from '../apply/known-folders.ts';
import { pruneBefore } from '../apply/prune.ts';
import {
  type Purge,
  purgedInWords,
  purgeSource,
  refuseMoreThanListed,
  whatWouldBePurged,
} from '../apply/purge-source.ts';
import type { ApplyContext } from '../apply/step-handler.ts';
import type { Asked } from '../condition/look-at-server.ts';
import { startedByItself } from '../convert/index.ts';
import { nothingRemembered } from '../daemon/remembering-client.ts';
import { sizeOf } from '../daemon/server-size.ts';
import { tellingLines } from '../daemon/telling-lines.ts';
import { readInventory } from '../inventory/database/read-inventory.ts';
import { toAnswers } from '../journal/given-answers.ts';
import type { Journal } from '../journal/journal.ts';
import { givenAnswers, noteNames, requiredNote, toPowerRecord } from '../journal/noted.ts';
import type { Answers } from '../model/finding.ts';
import type { Plan } from '../model/plan.ts';
import type { FreshRehearsal } from '../model/rehearsal.ts';
import { describeStep } from '../model/step.ts';
import { estimate, roughly } from '../plan/estimate.ts';
import { migrateFailure } from '../problem.ts';
import { differsId } from '../rehearse/index.ts';
import { writeReport } from '../report/index.ts';
import { expectedOf, verifyRun } from '../verify/index.ts';
import { renderVerification } from './render-verification.ts';

/** The source's database as the plan found it, kept with the run so that it can be compared after an interruption. */
const plannedDatabase = 'planned-database.sqlite';
/** Of a Buffer; a database of LXD has some megabytes. */
const plannedLimit = 4 * 1024 ** 3 - 1;

export interface Work {
  readonly host: Host;
  readonly plannedOn: PlannedOn;
  readonly output: Output;
  readonly journal: Journal;
  readonly run: string;
  readonly folder: string;
  readonly stopLimitMs: number;
  readonly forceStop: boolean;
  /** What goes after a green verify; undefined: LXD is kept. */
  readonly purge: Purge | undefined;
  readonly report: string | undefined;
  readonly interrupted: () => boolean;
}

/** Writes the run down; from here on it is either finished or taken back. */
export function beginRun(
  { host, plannedOn, journal, run, folder, output }: Work,
  { differences, ...rehearsal }: FreshRehearsal,
  { accept, fix }: Answers,
): void {
  const isAccepted = rehearsal.findings.some((finding) => finding.id === differsId && accept.has(differsId));
  const { plan, sourceImage, pinsFromHost } = plannedOn;
  writeFileDurable(join(folder, plannedDatabase), sourceImage, 0o600);
  const state = dirname(dirname(folder));
  const say = (text: string): void => output.message(text);
  listFolder(host, state, say);
  journal.begin(run, plan, plan.steps, host.now(), {
    [noteNames.pins]: [...pinsFromHost],
    [noteNames.rehearsal]: rehearsal,
    [noteNames.answers]: { accept: [...accept], fix, differences: isAccepted ? differences : [] },
    [noteNames.sourceListened]: plan.source.sockets.some((socket) => host.listener(socket) !== undefined),
  });
  pruneBefore(journal, state, run, say);
}

/** What an interrupted run was planned on; nothing of it where its database cannot be read any more. */
export function plannedOnOf(
  journal: Journal,
  run: string,
  folder: string,
): { readonly plannedOn: PlannedOn; readonly unreadable: string | undefined } {
  const path = join(folder, plannedDatabase);
  const image = readPlanned(path);
  const isRead = Buffer.isBuffer(image);
  return {
    plannedOn: {
      plan: journal.plan(run),
      sourceImage: isRead ? image : Buffer.alloc(0),
      pinsFromHost: new Map(requiredNote(journal, run, noteNames.pins)),
    },
    unreadable: isRead ? undefined : `${path} (${image})`,
  };
}

/** @returns why not, where it cannot be read */
function readPlanned(path: string): Buffer | string {
  try {
    const image = readRegularFile(path, { limit: plannedLimit, links: 'refuse' });
    if (!isWhole(image)) return 'it is damaged';
    readInventory(image);
    return image;
  } catch (error) {
    if (error instanceof Failure) return error.explanation.what;
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return code === 'ENOENT' ? 'it is not there' : error instanceof Error ? error.message : code;
  }
}

/** Every page of it; @throws errors of SQLite */
function isWhole(image: Buffer): boolean {
  const db = new Database(image);
  try {
    return db.pragma('quick_check(1)', { simple: true }) === 'ok';
  } finally {
    db.close();
  }
}

export function applyContext(
  { host, plannedOn, output, journal, run, stopLimitMs, forceStop, interrupted }: Work,
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
    say: (text) => output.progress(`  ${title()}: ${text}`),
    warn: (text) => output.message(inline(text)),
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

export async function carryOut(work: Work): Promise<ExitCode> {
  const { host, plannedOn, output, journal, run, folder } = work;
  const begun = host.clock();
  let current = '';
  const said = nothingRemembered();
  const expected = once(() => expectedOf(host, journal, run, folder));
  const context = applyContext(work, () => current, {
    saidByTarget: said,
    prepareVerification: () => unlessRefused(expected),
  });
  await applySteps(context, {
    onProgress: (progress) => {
      const { title } = describeStep(progress.step);
      current = progress.state === 'begun' || progress.state === 'done' ? title : 'taking back';
      showProgress(progress, output, host.clock() - begun, secondsLeft(plannedOn.plan, host.clock() - begun));
    },
  });
  const verification = await verifyRun(
    host,
    journal,
    run,
    folder,
    (text) => output.progress(`  verify: ${text}`),
    { size: context.size, said, expected },
  );
  const rehearsal = journal.noted(run, noteNames.rehearsal);
  const place = writeReport(work.report ?? join(folder, 'report'), {
    plan: plannedOn.plan,
    inventory: context.sourceInventory(),
    verification,
    answers: toAnswers(givenAnswers(journal, run)),
    ...(rehearsal === undefined ? {} : { rehearsal }),
  });
  const failed = verification.checks.filter(({ ok }) => !ok);
  journal.enter(
    run,
    'done',
    host.now(),
    failed.length === 0 ? undefined : `${failed.length} of ${verification.checks.length} checks failed`,
  );
  output.line(`\n${renderVerification(verification, output)}`);
  if (failed.length === 0) await purge(work);
  output.event({
    event: 'end',
    outcome: failed.length === 0 ? 'done' : 'verify-failed',
    run,
    verification,
    report: place,
    exit: failed.length === 0 ? exitCode.done : exitCode.failed,
  });
  if (failed.length > 0) throw migrateFailure({ code: 'verify-failed', count: failed.length, report: place });
  const became = work.purge === undefined ? 'LXD is kept' : 'What was left of LXD is removed';
  output.line(
    `\n${output.colour('green', 'Moved and verified')} in ${formatDuration(host.clock() - begun)}. ${became}, its database in ${join(folder, 'source-database')}.\n${whatBecameOfSource(work)}\nReport: ${place}`,
  );
  return exitCode.done;
}

/** What fails ahead of its time fails again in its time, where that is told. */
function unlessRefused(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Failure) && systemErrorCode(error) === undefined) throw error;
  }
}

function whatBecameOfSource({ plannedOn: { plan }, journal, run, purge: purged }: Work): string {
  if (purged !== undefined) return inert(purgedInWords(purged));
  const copied = plan.steps.some(({ kind }) => kind === 'copy-directory');
  return keptFromStarting(journal, run, copied);
}

async function purge({
  host,
  plannedOn: { plan },
  output,
  journal,
  run,
  purge: listed,
}: Work): Promise<void> {
  if (listed === undefined) return;
  await refuseMoreThanListed(host, plan, listed);
  // From the first file on there is no way back, however far it gets.
  journal.note(run, noteNames.purge, listed);
  await goOnPurging({ host, plan, output, journal, run }, listed);
}

/** Also after an interruption: what is gone already is passed over. */
export async function goOnPurging(
  {
    host,
    plan,
    output,
    journal,
    run,
  }: Pick<Work, 'host' | 'output' | 'journal' | 'run'> & { readonly plan: Plan },
  listed: Purge,
): Promise<void> {
  journal.enter(run, 'purging', host.now());
  await purgeSource(host, plan, listed, (text) => output.progress(`  removing ${text}`));
  journal.enter(run, 'purged', host.now());
  output.event({ event: 'purged', ...listed });
}

/** Shown before anybody says "go". */
export async function listPurge(host: Host, plan: Plan, output: Output): Promise<Purge> {
  const listed = await whatWouldBePurged(host, plan);
  const lines = [
    ...listed.folders.map(
      ({ path, bytes, why }) => `${formatBytes(bytes).padStart(10)}  ${inert(path)} (${why})`,
    ),
    ...listed.packages.map((name) => `   package  ${inert(name)}`),
  ];
  output.line(
    `\n--purge-source will delete, after a green verification, with no way back:\n${lines.length === 0 ? '  nothing: there is no more of LXD than the note in its directory' : lines.join('\n')}`,
  );
  output.event({ event: 'purge', ...listed });
  return listed;
}

/** undefined where more time has gone than was expected: then nobody knows. */
function secondsLeft(plan: Plan, elapsedMs: number): number | undefined {
  const left = (estimate(plan)?.afterRehearsal ?? 0) - elapsedMs / 1000;
  return left > 0 ? left : undefined;
}

/** @param left seconds, about */
export function showProgress(progress: StepProgress, output: Output, elapsedMs: number, left?: number): void {
  const { title, inverse } = describeStep(progress.step);
  const count = `${String(progress.position + 1).padStart(2)}/${progress.total}`;
  const at = formatDuration(elapsedMs).padStart(8);
  output.event({
    event: 'step',
    position: progress.position,
    total: progress.total,
    kind: progress.step.kind,
    title,
    state: progress.state,
    milliseconds: Math.round(progress.milliseconds),
    ...(progress.error === undefined ? {} : { error: progress.error }),
  });
  if (progress.state === 'begun')
    output.progress(`${at}  ${count}  ${left === undefined ? '' : `(about ${roughly(left)} left) `}${title}`);
  else if (progress.state === 'done') output.line(`${at}  ${count}  ${inert(title)}`);
  else if (progress.state === 'undone') output.line(`${at}  ${count}  taken back: ${inert(inverse)}`);
  else
    output.line(
      `${at}  ${count}  ${output.colour('red', progress.state === 'failed' ? 'failed' : 'could not be taken back')}: ${inert(title)}: ${inline(progress.error ?? '')}`,
    );
}
