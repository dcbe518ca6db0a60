// Replays nights: one plan a night on the repositories as they were, beside what people did. For those who have them.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatTable } from '../../src/core/text.ts';
import { openObjectReader } from '../../src/sync/git/object-reader.ts';
import { type Objects, openObjects } from '../../src/sync/git/objects.ts';
import { diffSequences } from '../../src/sync/merge/diff-sequences.ts';
import type { RunPlan } from '../../src/sync/plan/run-plan.ts';
import { createLineStore } from '../../src/sync/rewrite/line-store.ts';
import type { Scan } from '../../src/sync/scan/scan-result.ts';

const root = join(import.meta.dirname, '..', '..');
const first = process.env['NIGHTS_FROM'] ?? '2023-10-01';
const last = process.env['NIGHTS_TO'] ?? new Date().toISOString().slice(0, 10);
/** Two hours after midnight, UTC. */
const hour = 'T02:00:00Z';
const limit = '1000';
/** Those of the pack. */
const branches = ['main', 'stable-5.0', 'stable-4.0'];

interface Proposal {
  readonly night: string;
  readonly status: string;
  readonly onto: string;
  readonly commit: string;
}

function main(): Promise<void> {
  const { FORK_SYNC_UPSTREAM: upstream, FORK_SYNC_FORK: fork } = process.env;
  if (upstream === undefined || fork === undefined) {
    process.stderr.write('Set FORK_SYNC_UPSTREAM and FORK_SYNC_FORK to the two repositories.\n');
    process.exit(2);
  }
  return replay(upstream, fork);
}

async function replay(upstream: string, fork: string): Promise<void> {
  const cache = process.env['NIGHTS_CACHE'] ?? fs.mkdtempSync(join(tmpdir(), 'fork-sync-nights-'));
  const common = ['--upstream', upstream, '--fork', fork, '--cache', cache];
  const forkSync = (...args: readonly string[]): unknown => {
    const done = spawnSync(process.execPath, [join(root, 'bin', 'fork-sync.js'), ...args, ...common], {
      encoding: 'utf8',
      maxBuffer: 1024 * 1024 * 1024,
    });
    if (typeof done.stdout !== 'string' || done.stdout === '')
      throw new Error(`${String(done.error)} ${done.stderr}`);
    return JSON.parse(done.stdout);
  };
  const git = (repository: string, ...args: readonly string[]): string =>
    spawnSync('git', ['-C', repository, ...args], { encoding: 'utf8' }).stdout.trim();
  const tipAt = (repository: string, night: string, branch = 'main'): string =>
    git(repository, 'rev-list', '-1', '--first-parent', `--before=${night}${hour}`, branch);
  /** A branch that a night did not have yet is left out. */
  const branchesAt = (night: string): readonly string[] =>
    branches.flatMap((branch) => {
      const tip = tipAt(upstream, night, branch);
      return tip === '' ? [] : ['--branch', `${branch}=${tip}`];
    });

  const dump = process.env['NIGHTS_DUMP'];
  const nights = daysBetween(first, last);
  const end = nights.at(-1) ?? last;
  // The scripts own output: the shapes are those of the command line.
  const today = forkSync('scan', '--json', ...branchesAt(end), '--onto', 'main') as Scan;
  const imported = new Map(
    today.commits.flatMap((one) =>
      one.state === 'imported' && one.fork !== undefined ? [[one.sha, one.fork] as const] : [],
    ),
  );
  const made = new Set(imported.values());
  // A commit counts for the last night before people imported it: other nights say nothing that this one does not.
  const every = process.env['NIGHTS_ALL'] !== undefined;
  const quartersAlone = process.env['NIGHTS_QUARTERS'] !== undefined;
  const hasImports = (index: number): boolean => {
    const [one, two] = [nights[index], nights[index + 1]];
    if (one === undefined || two === undefined) return false;
    const range = `${tipAt(fork, one)}..${tipAt(fork, two)}`;
    return git(fork, 'rev-list', range)
      .split('\n')
      .some((sha) => made.has(sha));
  };
  const open = new Map<string, Proposal>();
  const arrived = new Map<string, { readonly night: string; readonly before: Proposal | undefined }>();
  const firstSeen = new Map<string, string>();
  let scan: Scan | undefined;
  let plan: RunPlan | undefined;
  let inputs = '';
  let plannedFor = '';
  let same = 0;
  let repeated = 0;
  const seconds: number[] = [];
  const plans: { readonly night: string; readonly plan: RunPlan }[] = [];
  const rows: string[][] = [];
  for (const [index, night] of nights.entries()) {
    const mayHave = (at: number): boolean => !quartersAlone && hasImports(at);
    const planned = every || index === nights.length - 1 || beginsQuarter(night) || mayHave(index);
    if (!(planned || index === 0 || mayHave(index - 1))) continue;
    const tips = [...branchesAt(night), '--onto', tipAt(fork, night)];
    // A night on which nothing is new says the same again, but for a plan that was not asked for before.
    if (inputs === tips.join() && (!planned || plannedFor === inputs)) continue;
    inputs = tips.join();
    const begun = performance.now();
    scan = forkSync('scan', '--json', ...tips) as Scan;
    if (planned) {
      plannedFor = inputs;
      plan = forkSync('plan', '--json', '--limit', limit, ...tips) as RunPlan;
      seconds.push((performance.now() - begun) / 1000);
    }
    if (planned && seconds.length % 6 === 1) {
      repeated += 1;
      if (JSON.stringify(forkSync('plan', '--json', '--limit', limit, ...tips)) === JSON.stringify(plan))
        same += 1;
    }
    for (const { sha, state } of scan.commits) {
      if (!firstSeen.has(sha)) firstSeen.set(sha, night);
      if (state === 'imported' && !arrived.has(sha)) arrived.set(sha, { night, before: open.get(sha) });
    }
    if (!planned || plan === undefined) continue;
    // Written night by night: a run takes long, and what is planned can be read meanwhile.
    if (dump !== undefined) {
      plans.push({ night, plan });
      fs.writeFileSync(dump, JSON.stringify({ plans, today }));
    }
    open.clear();
    for (const pick of plan.groups.flatMap((group) => group.picks))
      open.set(pick.upstream, { night, status: pick.status, onto: pick.onto, commit: pick.commit });
    const there = new Set(git(fork, 'log', '--format=%ae %at', tipAt(fork, night)).split('\n'));
    const had = [...open.keys()].filter((sha) =>
      there.has(git(upstream, 'log', '-1', '--format=%ae %at', sha)),
    );
    const clean = [...open.values()].filter(({ status }) => status === 'clean').length;
    rows.push([
      index === nights.length - 1 ? `${night} (last)` : night,
      String(clean),
      String(open.size - clean),
      String(plan.parked.length),
      String(plan.leftOut.length),
      String(had.length),
      String([...open.keys()].filter((sha) => !imported.has(sha)).length),
      (seconds.at(-1) ?? 0).toFixed(1),
    ]);
    process.stderr.write(
      `${rows.at(-1)?.join('  ')}${had.length > 0 ? `  ${had.slice(0, 5).join(' ')}` : ''}\n`,
    );
  }
  if (scan === undefined || plan === undefined) throw new Error('no night had anything to look at');

  if (dump !== undefined)
    fs.writeFileSync(
      dump,
      JSON.stringify({ arrived: [...arrived], firstSeen: [...firstSeen], scan, plans, today }),
    );
  const gitDir = fs.readdirSync(cache).find((name) => name.endsWith('.git'));
  const reader = openObjectReader(join(cache, gitDir ?? ''));
  const objects = openObjects(reader);
  let proposed = 0;
  let equal = 0;
  const judgedBefore: Judged[] = [];
  let between = 0;
  let known = 0;
  const statuses = new Map<string, number>();
  for (const [sha, { night, before }] of arrived) {
    if (night === nights[0]) {
      known += 1;
      continue;
    }
    // What reached both sides between two nights no night could propose.
    if (firstSeen.get(sha) === night) {
      between += 1;
      continue;
    }
    const people = imported.get(sha);
    if (before === undefined || people === undefined) continue;
    proposed += 1;
    statuses.set(before.status, (statuses.get(before.status) ?? 0) + 1);
    const [parent = ''] = (await objects.commit(people)).parents;
    if ((await changeKey(objects, before.onto, before.commit)) === (await changeKey(objects, parent, people)))
      equal += 1;
    judgedBefore.push({ upstream: sha, parent, tree: (await objects.commit(people)).tree });
  }
  const again = pickAgain(judgedBefore, common);
  await reader.close();
  const judged = arrived.size - known - between;
  const left = today.commits.filter((one) =>
    ['pending', 'parked', 'skipped', 'equivalent', 'own'].includes(one.state),
  );
  const cancelled = new Set(plan.cancelled.flatMap((pair) => [pair.upstream, pair.revertedBy]));
  const lastState = new Map(scan.commits.map((one) => [one.sha, one]));
  const fates = new Map<string, number>();
  for (const { sha } of left) {
    const one = lastState.get(sha);
    const waiting = one?.state === 'pending';
    const fate = cancelled.has(sha)
      ? 'cancelled: taken back upstream'
      : one?.state === 'skipped'
        ? (one.reason.split(':')[0] ?? '')
        : !waiting
          ? (one?.state ?? 'not seen')
          : open.has(sha)
            ? 'proposed'
            : leftOutAs(plan.leftOut.find((other) => other.upstream === sha));
    fates.set(fate, (fates.get(fate) ?? 0) + 1);
  }
  const relicensed = git(upstream, 'log', '--format=%H', '-1', '--diff-filter=M', 'main', '--', 'COPYING');
  const after = new Set(git(upstream, 'rev-list', 'main', `^${relicensed}^`).split('\n'));
  const share = (part: number, whole: number): string =>
    `${part} of ${whole} (${((100 * part) / Math.max(1, whole)).toFixed(1)} %)`;
  const count = (test: (fate: string) => boolean): number =>
    [...fates].reduce((sum, [fate, commits]) => sum + (test(fate) ? commits : 0), 0);
  const settled = count((fate) => fate.startsWith('rule') || fate.startsWith('cancelled'));
  const there = count((fate) => ['equivalent', 'empty', 'deleted by the fork'].includes(fate));
  const leftByPeople = left.length - count((fate) => fate === 'own');
  const lines = [
    `nights ${nights[0]} to ${end}: ${nights.length}, ${seconds.length} of them planned`,
    `imported by people in these nights: ${judged} that a night could propose (${between} reached both sides between two nights)`,
    `proposed as clean or review: ${share(proposed, judged)}: ${[...statuses].map(([status, count]) => `${count} ${status}`).join(', ')}`,
    `with the change that people committed, in the chain of that night: ${share(equal, judged)}`,
    `with the tree that people committed, picked onto what people had: ${share(again, judged)}`,
    `left out by people: ${leftByPeople}, and ${left.length - leftByPeople} that are the fork's own work coming back`,
    `  cancelled or skipped by a rule of the pack: ${share(settled, leftByPeople)}`,
    `  the same, with what the fork has already or deleted: ${share(settled + there, leftByPeople)}`,
    ...[...fates].toSorted((one, two) => two[1] - one[1]).map(([fate, count]) => `  ${count} ${fate}`),
    `proposed after the relicensing (${relicensed.slice(0, 12)}): ${[...open.keys()].filter((sha) => after.has(sha)).length}`,
    `second run of a night with the same plan: ${same} of ${repeated}`,
    `a night took ${(seconds.reduce((sum, one) => sum + one, 0) / seconds.length).toFixed(1)} s`,
  ];
  const head = [
    'night',
    'clean',
    'review',
    'parked',
    'left out',
    'the fork had it',
    'people never took it',
    'seconds',
  ];
  process.stdout.write(`${lines.join('\n')}\n\n${formatTable(head, rows)}\n`);
}

/** Nights without imports are planned once a quarter. */
function beginsQuarter(night: string): boolean {
  return night >= '2024' && /-(?:01|04|07|10)-01$/.test(night);
}

/** Why a plan leaves a commit out, in few words. */
function leftOutAs(left: RunPlan['leftOut'][number] | undefined): string {
  if (left === undefined) return 'parked';
  if (left.why !== 'skipped') return left.why;
  const rule = /skipped by rule (\S+)/.exec(left.reason)?.[1];
  return rule === undefined ? 'deleted by the fork' : `rule ${rule}`;
}

interface Judged {
  readonly upstream: string;
  /** What people's commit went onto, and the tree that it made. */
  readonly parent: string;
  readonly tree: string;
}

/** How many of the proposed commits give people's tree, picked onto the commit that people had. */
function pickAgain(judged: readonly Judged[], common: readonly string[]): number {
  const done = spawnSync(
    process.execPath,
    [join(root, 'bin', 'fork-sync.js'), 'pick', '--stdin', '--json', ...common],
    {
      encoding: 'utf8',
      input: judged.map(({ upstream, parent }) => `${upstream}\t${parent}\n`).join(''),
      maxBuffer: 1024 * 1024 * 1024,
    },
  );
  const lines = done.stdout.split('\n').filter((line) => line !== '');
  if (lines.length !== judged.length) throw new Error(done.stderr);
  return judged.filter(({ tree }, index) => JSON.parse(lines[index] ?? '').tree === tree).length;
}

/** Paths with removed and added lines, to the byte: what two commits on different parents can have in common. */
async function changeKey(objects: Objects, before: string, after: string): Promise<string> {
  const store = createLineStore((line) => line);
  const [one, two] = await Promise.all([objects.commit(before), objects.commit(after)]);
  const parts: string[] = [];
  for (const change of await objects.compare(one.tree, two.tree)) {
    const [left, right] = await Promise.all(
      [change.before, change.after].map((entry) => (entry === undefined ? '' : objects.text(entry.sha))),
    );
    const [a, b] = [store.split(left ?? ''), store.split(right ?? '')];
    const lines = diffSequences(a, b).flatMap((edit) => [
      ...Array.from(a.slice(edit.aStart, edit.aEnd), (line) => `-${store.line(line)}`),
      ...Array.from(b.slice(edit.bStart, edit.bEnd), (line) => `+${store.line(line)}`),
    ]);
    parts.push(`${change.path} ${change.before?.mode} ${change.after?.mode}\n${lines.join('\n')}`);
  }
  return parts.join('\0');
}

function daysBetween(from: string, to: string): readonly string[] {
  const days: string[] = [];
  for (let time = Date.parse(from); time <= Date.parse(to); time += 86_400_000)
    days.push(new Date(time).toISOString().slice(0, 10));
  return days;
}

await main();
