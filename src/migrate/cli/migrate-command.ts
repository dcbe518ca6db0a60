// `migrate`: plan, ask, carry out, verify.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { makeFolderDurable } from '../../core/durable.ts';
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import { Failure } from '../../core/failure.ts';
import type { Host } from '../../core/host.ts';
import { loggedHost, openLog } from '../../core/log.ts';
import type { Output } from '../../core/output.ts';
import { formatDuration, inert } from '../../core/text.ts';
import { raftPosition } from '../../dqlite/index.ts';
import { applySteps, type StepProgress } from '../apply/index.ts';
import { type Journal, openJournal, takeLock } from '../apply/journal.ts';
import { type FreshConversion, noteNames, type StoredPower, toPowerRecord } from '../apply/step-handler.ts';
import { writeDatabaseDirectory } from '../apply/write-database.ts';
import { isOpen } from '../check/index.ts';
import type { PowerRecord } from '../convert/index.ts';
import { find } from '../detect/index.ts';
import { drift } from '../plan/drift.ts';
import {
  convertFiles,
  describeStep,
  expectedInventory,
  makePlan,
  type Plan,
  type PlanMaterial,
} from '../plan/index.ts';
import { runFolder } from '../plan/make-steps.ts';
import { migrateFailure } from '../problem.ts';
import { writeReport } from '../report/index.ts';
import { verifyRun } from '../verify/index.ts';
import { answersOf, type CommonOptions, detectOptions, stateFolder } from './options.ts';
import { readPlanFile, refuseStale } from './plan-file.ts';
import { renderSummary } from './render-plan.ts';
import { renderVerification } from './render-verification.ts';
import { toolVersion } from './version.ts';

export interface MigrateOptions extends CommonOptions {
  readonly yes?: boolean;
  readonly plan?: string;
  readonly stopTimeout: string;
}

export async function migrateCommand(host: Host, options: MigrateOptions, output: Output): Promise<ExitCode> {
  const stopLimitMs = Number(options.stopTimeout) * 1000;
  if (!Number.isFinite(stopLimitMs) || stopLimitMs <= 0)
    throw migrateFailure({
      code: 'bad-option',
      option: '--stop-timeout',
      why: 'is a number of seconds above 0',
    });
  const wanted = options.plan === undefined ? undefined : readPlanFile(options.plan);
  if (host.userId() !== 0) throw migrateFailure({ code: 'needs-root', command: 'migrate' });
  const state = stateFolder(options);
  const release = takeLock(state);
  const journal = openJournal(state);
  try {
    return await migrate({ host, options, output, state, journal, stopLimitMs, wanted });
  } finally {
    journal.close();
    release();
  }
}

interface Migration {
  readonly host: Host;
  readonly options: MigrateOptions;
  readonly output: Output;
  readonly state: string;
  readonly journal: Journal;
  readonly stopLimitMs: number;
  readonly wanted: Plan | undefined;
}

async function migrate({
  host: bareHost,
  options,
  output,
  state,
  journal,
  stopLimitMs,
  wanted,
}: Migration): Promise<ExitCode> {
  const latest = journal.latest();
  if (latest !== undefined && latest.outcome === undefined)
    throw migrateFailure({ code: 'unfinished-migration', run: latest.id });
  if (alreadyDone(bareHost, options, latest?.outcome)) {
    output.line('This server was migrated already; there is no LXD left to move.');
    output.event({ event: 'end', outcome: 'nothing-to-do', exit: exitCode.nothingToDo });
    return exitCode.nothingToDo;
  }
  const run = bareHost.now().toISOString().replace(/[:.]/g, '-');
  const folder = runFolder(state, run);
  makeFolderDurable(join(state, 'runs'));
  makeFolderDurable(folder);
  const log = openLog(join(folder, 'log'));
  const host = loggedHost(bareHost, log);
  try {
    const where = detectOptions(options);
    const material = await makePlan({
      host,
      found: find(host, where),
      services: where.services,
      state,
      toolVersion,
      run,
    });
    if (wanted !== undefined) refuseStale(wanted, material.plan);
    const answers = answersOf(options);
    output.line(renderSummary(material.plan, answers, output));
    output.event({ event: 'plan', run, plan: material.plan });
    const open = material.plan.findings.filter((finding) => isOpen(finding, answers));
    if (open.length > 0 || material.plan.target === undefined)
      throw migrateFailure({ code: 'findings-open', ids: open.map(({ id }) => id) });
    if (options.yes !== true && !(await confirm(output))) {
      output.line('Nothing was changed.');
      return exitCode.blocked;
    }
    return await carryOut({
      host,
      material,
      output,
      journal,
      run,
      folder,
      stopLimitMs,
      report: options.report,
    });
  } catch (error) {
    log.write(error instanceof Error ? (error.stack ?? error.message) : String(error));
    throw error;
  } finally {
    log.close();
    // A run that never began leaves nothing worth keeping.
    if (journal.latest()?.id !== run) fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** A finished journal never stands in the way of a new migration, but with no LXD left there is nothing to do. */
function alreadyDone(host: Host, options: MigrateOptions, outcome: string | undefined): boolean {
  if (outcome !== 'finished') return false;
  try {
    const { source } = find(host, detectOptions(options));
    return !fs.existsSync(host.path(join(source.dataDirectory, 'database')));
  } catch (error) {
    if (error instanceof Failure && error.problem.code === 'no-source') return true;
    throw error;
  }
}

async function confirm(output: Output): Promise<boolean> {
  const question = 'Move this server to Incus now?';
  if (process.stdin.isTTY !== true || output.json)
    throw migrateFailure({ code: 'needs-answer', question, flag: '--yes' });
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

interface Work {
  readonly host: Host;
  readonly material: PlanMaterial;
  readonly output: Output;
  readonly journal: Journal;
  readonly run: string;
  readonly folder: string;
  readonly stopLimitMs: number;
  readonly report: string | undefined;
}

async function carryOut({
  host,
  material,
  output,
  journal,
  run,
  folder,
  stopLimitMs,
  report,
}: Work): Promise<ExitCode> {
  const { plan } = material;
  const begun = host.clock();
  journal.begin(run, plan, plan.steps, host.now());
  journal.note(run, 'pins', [...material.pinsFromHost]);
  let current = '';
  const conversion = conversions(host, material);
  await applySteps(
    {
      host,
      journal,
      run,
      stopLimitMs,
      wouldStart: () => [...material.power.running],
      prepareConversion: () =>
        conversion.prepare(toPowerRecord(journal.noted(run, noteNames.power) as StoredPower)),
      convertAgain: conversion.again,
      say: (text) => output.progress(`  ${current}: ${text}`),
    },
    {
      onProgress: (progress) => {
        current = describeStep(progress.step).title;
        showProgress(progress, output, host.clock() - begun);
      },
    },
  );
  const verification = await verifyRun(host, journal, run, folder, (text) =>
    output.progress(`  verify: ${text}`),
  );
  const place = writeReport(report ?? join(folder, 'report'), {
    plan,
    inventory: expectedInventory(material),
    verification,
  });
  const failed = verification.checks.filter(({ ok }) => !ok);
  journal.end(run, failed.length === 0 ? 'finished' : 'failed', host.now());
  output.line(`\n${renderVerification(verification, output)}`);
  output.event({
    event: 'end',
    outcome: failed.length === 0 ? 'done' : 'verify-failed',
    run,
    verification,
    report: place,
    exit: failed.length === 0 ? exitCode.done : exitCode.failed,
  });
  if (failed.length > 0) throw migrateFailure({ code: 'verify-failed', count: failed.length, report: place });
  output.line(
    `\n${output.colour('green', 'Moved and verified')} in ${formatDuration(host.clock() - begun)}. LXD is kept: disabled, its database in ${join(folder, 'source-database')}.\nReport: ${place}`,
  );
  return exitCode.done;
}

/**
 * Converts the source as it is now. What was prepared while the daemon was stopping is taken where its databases stand
 * as they stood then.
 */
function conversions(host: Host, material: PlanMaterial): Conversions {
  const { plan } = material;
  const database = host.path(join(plan.source.dataDirectory, 'database'));
  const stateNow = (): string => {
    const local = fs.statSync(join(database, 'local.db'), { throwIfNoEntry: false });
    return JSON.stringify([raftPosition(join(database, 'global')), local?.mtimeMs, local?.size]);
  };
  const convertNow = (power: PowerRecord): FreshConversion => {
    const { content, conversion } = convertFiles(host, plan.source.dataDirectory, {
      plan,
      power,
      pinsFromHost: material.pinsFromHost,
    });
    return {
      differences: drift(material.sourceImage, content.image.bytes),
      held: conversion.held,
      changes: conversion.changes,
      write: (folder) => writeDatabaseDirectory(folder, conversion, content),
    };
  };
  let prepared: { readonly state: string; readonly conversion: FreshConversion } | undefined;
  return {
    prepare(power) {
      const state = stateNow();
      prepared = { state, conversion: convertNow(power) };
    },
    again(power) {
      return prepared !== undefined && prepared.state === stateNow()
        ? prepared.conversion
        : convertNow(power);
    },
  };
}

interface Conversions {
  prepare(power: PowerRecord): void;
  again(power: PowerRecord): FreshConversion;
}

function showProgress(progress: StepProgress, output: Output, elapsedMs: number): void {
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
  if (progress.state === 'begun') output.progress(`${at}  ${count}  ${title}`);
  else if (progress.state === 'done') output.line(`${at}  ${count}  ${inert(title)}`);
  else if (progress.state === 'undone') output.line(`${at}  ${count}  taken back: ${inert(inverse)}`);
  else
    output.line(
      `${at}  ${count}  ${output.colour('red', progress.state === 'failed' ? 'failed' : 'could not be taken back')}: ${inert(title)}: ${inert(progress.error ?? '')}`,
    );
}
