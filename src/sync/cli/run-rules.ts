// `fork-sync rules …`: check, test, explain, hits, suggest.
import { type ExitCode, exitCode } from '../../core/exit-code.ts';
import { formatTable, inert } from '../../core/text.ts';
import { readable, readableJson } from '../git/output.ts';
import { resolveCommit } from '../git/resolve-commit.ts';
import { type PackError, syncFailure } from '../problem.ts';
import { measureDrift } from '../replay/measure-drift.ts';
import { type Pair, readPairs } from '../replay/read-pairs.ts';
import { replayPairs } from '../replay/replay-pairs.ts';
import { compileBrand } from '../rewrite/brand.ts';
import { checkPack, runExamples } from '../rules/check-pack.ts';
import { countHits, type RuleHits } from '../rules/count-hits.ts';
import { type Explained, explainPath, explainText } from '../rules/explain-rules.ts';
import type { RulePack } from '../rules/model.ts';
import {
  countTreeSubstitutions,
  createSubstitutionCounter,
  formatSuggestion,
  suggestFromDrift,
} from '../rules/suggest-rules.ts';
import { ruleIds } from '../rules/without-rule.ts';
import {
  needRepositories,
  openEngineFor,
  openPack,
  type RepositoryOptions,
  type RulesOption,
  refuseUnused,
} from './options.ts';

interface PairsOption extends RepositoryOptions {
  readonly pairs?: string;
  readonly json?: boolean;
}

export async function runRulesCheck(options: PairsOption): Promise<ExitCode> {
  if (options.pairs === undefined)
    refuseUnused(options, ['upstream', 'fork', 'cache'], 'without --pairs: only hits are counted there');
  const pack = openPack(options);
  const errors = [...checkPack(pack), ...(options.pairs === undefined ? [] : await checkHits(options, pack))];
  if (errors.length > 0) throw syncFailure({ code: 'pack-invalid', errors });
  process.stdout.write(
    `${ruleIds(pack).length} rules, ${runExamples(pack).length} examples: nothing wrong.\n`,
  );
  return exitCode.done;
}

export function runRulesTest(options: RulesOption): ExitCode {
  const results = runExamples(openPack(options));
  for (const { file, rule, example, got, why } of results)
    if (why !== undefined)
      process.stdout.write(
        `${file} ${rule}: ${why}\n  in:       ${show(example.in)}\n  expected: ${show(example.out)}\n  got:      ${show(got)}\n`,
      );
  const failed = results.filter((result) => result.why !== undefined).length;
  process.stdout.write(`${results.length - failed} of ${results.length} examples come out as they should.\n`);
  return failed > 0 ? exitCode.failed : exitCode.done;
}

export function runRulesExplain(what: string, options: RulesOption & { readonly as?: string }): ExitCode {
  const pack = openPack(options);
  const bytes = Buffer.from(what, 'utf8').toString('latin1');
  const isPath =
    options.as === undefined && !/[ \t]/.test(what) && what.includes('/') && !what.includes('://');
  const explained: Explained = isPath
    ? explainPath(pack, bytes)
    : explainText(pack, bytes, options.as ?? 'text.md');
  process.stdout.write(`${show(explained.from)}\n${show(explained.to)}\n`);
  for (const step of explained.steps) process.stdout.write(`  ${show(step)}\n`);
  if (explained.steps.length === 0) process.stdout.write('  no rule applies\n');
  return exitCode.done;
}

export async function runRulesHits(options: PairsOption): Promise<ExitCode> {
  const pack = openPack(options);
  const hits = await hitsOver(options, pack);
  const rows = ruleIds(pack).map((id) => ({
    id,
    hits: hits.get(id)?.hits ?? 0,
    commits: hits.get(id)?.commits ?? 0,
  }));
  process.stdout.write(
    options.json === true
      ? `${readableJson(rows)}\n`
      : `${formatTable(
          ['rule', 'hits', 'commits'],
          rows.map((row) => [row.id, String(row.hits), String(row.commits)]),
        )}\n`,
  );
  return exitCode.done;
}

/** Words that people wrote otherwise than picks in more than one pair, as rules to think about. */
/** From what replayed picks got wrong, and with `--drift` from what rules do not explain of the fork at a commit. */
export async function runRulesSuggest(options: PairsOption & { readonly drift?: string }): Promise<ExitCode> {
  const { drift } = options;
  const named = options.pairs ?? (drift === undefined ? process.env['FORK_SYNC_PAIRS'] : undefined);
  const pairs = named === undefined && drift !== undefined ? [] : needPairs(options);
  const tip = drift === undefined ? undefined : await resolveCommit(needRepositories(options).fork, drift);
  const engine = await openEngineFor(options);
  const counter = createSubstitutionCounter();
  let fromDrift: readonly string[] = [];
  try {
    if (pairs.length > 0)
      await replayPairs(engine, pairs, async (one, _pick, prepared) => {
        if (one.tree !== undefined && !one.exact)
          await countTreeSubstitutions(
            engine.objects,
            counter,
            one.tree,
            prepared.theirs.tree,
            one.fork.slice(0, 12),
          );
      });
    if (tip !== undefined) {
      const brand = compileBrand(engine.pack);
      fromDrift = suggestFromDrift((await measureDrift(engine, tip)).unexplained, brand.inText);
    }
  } finally {
    await engine.close();
  }
  const often = counter.list().filter((found) => found.seenIn.length > 1);
  const sections = [
    ...(often.length === 0 ? [] : [`# from picks that came out wrong`, ...often.map(formatSuggestion)]),
    ...(fromDrift.length === 0 ? [] : [`# from the fork as it is`, ...fromDrift]),
  ];
  process.stdout.write(
    sections.length === 0
      ? 'No word came out wrong in the same way in more than one place.\n'
      : `${sections.join('\n').split('\n').map(show).join('\n')}\n`,
  );
  return sections.length === 0 ? exitCode.nothingToDo : exitCode.done;
}

function needPairs(options: PairsOption): readonly Pair[] {
  const path = options.pairs ?? process.env['FORK_SYNC_PAIRS'];
  if (path !== undefined) return readPairs(path);
  throw syncFailure({
    code: 'usage',
    why: 'This needs pairs of commits.',
    next: 'Give --pairs FILE, or set FORK_SYNC_PAIRS.',
  });
}

async function hitsOver(options: PairsOption, pack: RulePack): Promise<ReadonlyMap<string, RuleHits>> {
  const pairs = needPairs(options);
  const engine = await openEngineFor(options, pack);
  try {
    return await countHits(
      pack,
      engine.objects,
      pairs.map((pair) => pair.upstream),
    );
  } finally {
    await engine.close();
  }
}

/** A rule without a hit is dead, unless it says that it expects none; too few hits say that something moved. */
async function checkHits(options: PairsOption, pack: RulePack): Promise<readonly PackError[]> {
  const hits = await hitsOver(options, pack);
  const rules: readonly { readonly id: string; readonly expect?: number }[] = [
    ...pack.paths,
    ...pack.names,
    ...pack.protected,
    ...pack.words,
    ...pack.symbols,
    ...pack.imports,
    ...pack.merge,
    ...pack.skip,
    ...pack.doubts,
  ];
  return rules.flatMap(({ id, expect = 1 }) => {
    const found = hits.get(id)?.hits ?? 0;
    return found >= expect
      ? []
      : [{ file: 'hits', at: id, why: `${found} hits, at least ${expect} expected` }];
  });
}

function show(text: string): string {
  return inert(readable(text));
}
