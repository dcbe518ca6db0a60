// Proves what can be proven of a pack without repositories: examples, idempotence, order, and no undeclared loss.
import type { PackError } from '../problem.ts';
import { defaultName } from '../rewrite/go/scan-go.ts';
import { rewriteCommands } from './commands.ts';
import type { Example, RulePack, SymbolRule, WordRule } from './model.ts';
import { applySpans, compileWords, type WordMatcher } from './words.ts';

export interface ExampleResult {
  readonly file: string;
  readonly rule: string;
  readonly example: Example;
  readonly got: string;
  readonly why: string | undefined;
}

/** Runs every example of every rule. */
export function runExamples(pack: RulePack): readonly ExampleResult[] {
  const words = compileWords(pack.words, pack.protected);
  return [
    ...pack.paths.flatMap((rule) =>
      (rule.examples ?? []).map((example) => {
        const folder = rule.from.endsWith('/') && example.in.startsWith(rule.from);
        const got = folder
          ? rule.to + example.in.slice(rule.from.length)
          : example.in === rule.from
            ? rule.to
            : example.in;
        return result('paths.yaml', rule.id, example, got);
      }),
    ),
    ...pack.names.flatMap((rule) =>
      (rule.examples ?? []).map((example) =>
        result('paths.yaml', rule.id, example, example.in.replaceAll(rule.from, rule.to)),
      ),
    ),
    ...[...pack.protected, ...pack.words].flatMap((rule) =>
      (rule.examples ?? []).map((example) => wordExample(words, rule.id, example)),
    ),
    ...pack.commands.flatMap((rule) =>
      (rule.examples ?? []).map((example) =>
        result('text.yaml', rule.id, example, rewriteCommands([rule], example.in).line),
      ),
    ),
    ...pack.symbols.flatMap((rule) =>
      (rule.examples ?? []).map((example) =>
        result('go.yaml', rule.id, example, mapSymbol(rule, example.in)),
      ),
    ),
    ...pack.imports.flatMap((rule) =>
      (rule.examples ?? []).map((example) => {
        const applies = example.in === rule.from || example.in.startsWith(`${rule.from}/`);
        const got = applies ? rule.to + example.in.slice(rule.from.length) : example.in;
        return result('go.yaml', rule.id, example, got);
      }),
    ),
  ];
}

function result(file: string, rule: string, example: Example, got: string): ExampleResult {
  return {
    file,
    rule,
    example,
    got,
    why: got === example.out ? undefined : 'the example comes out differently',
  };
}

function wordExample(words: WordMatcher, rule: string, example: Example): ExampleResult {
  const scope = example.scope ?? 'prose';
  const path = example.as ?? 'example.txt';
  const spans = words.match(example.in, path, () => scope);
  const got = applySpans(example.in, spans);
  const base = result('text.yaml', rule, example, got);
  if (base.why !== undefined) return base;
  if (!spans.some((span) => span.rule === rule))
    return { ...base, why: 'another rule made this example come out; this one took no part' };
  const again = applySpans(
    got,
    words.match(got, path, () => scope),
  );
  return again === got ? base : { ...base, why: `applying the rules again changes it once more: ${again}` };
}

function mapSymbol(rule: SymbolRule, name: string): string {
  const symbol = name.slice(name.indexOf('.') + 1);
  const renamed = rule.renamed?.[symbol] ?? (rule.names?.includes(symbol) === true ? symbol : undefined);
  return renamed === undefined ? name : `${rule.alias ?? defaultName(rule.to)}.${renamed}`;
}

/** Everything wrong with a pack that the schema cannot say. */
export function checkPack(pack: RulePack): readonly PackError[] {
  return [
    ...runExamples(pack)
      .filter((example) => example.why !== undefined)
      .map(({ file, rule, example, got, why }) => ({
        file,
        at: rule,
        why: `${why} (in: ${example.in}, expected: ${example.out}, got: ${got})`,
      })),
    ...missingExamples(pack),
    ...shadowed(pack.words),
    ...emptySkips(pack),
    ...undeclaredLosses(pack),
  ];
}

function missingExamples(pack: RulePack): readonly PackError[] {
  const need = (
    file: string,
    rules: readonly { readonly id: string; readonly examples?: readonly Example[] }[],
  ) =>
    rules
      .filter((rule) => (rule.examples ?? []).length === 0)
      .map((rule) => ({ file, at: rule.id, why: 'the rule has no example' }));
  return [
    ...need('paths.yaml', [...pack.paths, ...pack.names]),
    ...need('text.yaml', [...pack.protected, ...pack.words, ...pack.commands]),
    ...need('go.yaml', [...pack.symbols, ...pack.imports]),
  ];
}

function emptySkips(pack: RulePack): readonly PackError[] {
  const isEmpty = (...lists: readonly (readonly string[] | undefined)[]): boolean =>
    lists.every((list) => (list ?? []).length === 0);
  return [
    ...pack.skip
      .filter((rule) => isEmpty(rule.files, rule.commits, rule.subjects))
      .map(({ id }) => ({ id, why: 'names neither files, commits nor subjects' })),
    ...pack.leaveOut
      .filter((rule) => isEmpty(rule.subjects, rule.authors, rule.onlyFiles, rule.merges))
      .map(({ id }) => ({ id, why: 'names neither subjects, authors, files nor merges' })),
    ...pack.standAlone
      .filter((rule) => isEmpty(rule.subjects, rule.merges, rule.missing))
      .map(({ id }) => ({ id, why: 'names neither subjects, merges nor what may be missing' })),
  ].map(({ id, why }) => ({ file: 'skip.yaml', at: id, why }));
}

/** A rule behind one that takes every place where it could begin never applies. */
function shadowed(rules: readonly WordRule[]): readonly PackError[] {
  return rules.flatMap((rule, index) => {
    const before = rules
      .slice(0, index)
      .find(
        (other) =>
          rule.from.startsWith(other.from) &&
          (other.left ?? 'any') === 'any' &&
          (other.right ?? 'any') === 'any' &&
          other.scopes === undefined &&
          other.files === undefined,
      );
    if (before === undefined) return [];
    return [
      {
        file: 'text.yaml',
        at: rule.id,
        why: `never applies: ${before.id} stands before it and takes the same places`,
      },
    ];
  });
}

function sameResults(
  file: string,
  rules: readonly { readonly id: string; readonly to: string; readonly lossy?: string }[],
): readonly PackError[] {
  const seen = new Map<string, string>();
  return rules.flatMap((rule) => {
    const other = seen.get(rule.to);
    if (other === undefined) seen.set(rule.to, rule.id);
    if (other === undefined || rule.lossy !== undefined) return [];
    return [
      { file, at: rule.id, why: `writes the same as ${other} and cannot be undone: declare it with "lossy"` },
    ];
  });
}

/** Two rules that write the same cannot both be undone: all but the first have to say so. */
function undeclaredLosses(pack: RulePack): readonly PackError[] {
  const errors: PackError[] = [
    ...sameResults('text.yaml', pack.words),
    ...sameResults('paths.yaml', pack.paths),
    ...sameResults('paths.yaml', pack.names),
    ...sameResults('go.yaml', pack.imports),
  ];
  for (const rule of pack.symbols) {
    const targets = Object.values(rule.renamed ?? {});
    const doubled = targets.find(
      (name, index) => targets.indexOf(name) !== index || rule.names?.includes(name),
    );
    if (doubled !== undefined && rule.lossy === undefined)
      errors.push({
        file: 'go.yaml',
        at: rule.id,
        why: `several names become ${doubled} and cannot be undone: declare it with "lossy"`,
      });
  }
  return errors;
}
