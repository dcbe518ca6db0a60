// Says which rule changes which characters of a path or a text.

import { compileBrand } from '../rewrite/brand.ts';
import { fileKind } from '../rewrite/file-kind.ts';
import { defaultName } from '../rewrite/go/scan-go.ts';
import { findPaths, translateByRules } from '../rewrite/translate.ts';
import { rewriteCommands } from './commands.ts';
import { matchesAnyGlob } from './glob.ts';
import type { RulePack } from './model.ts';
import { compileWords } from './words.ts';

export interface Explained {
  readonly from: string;
  readonly to: string;
  readonly steps: readonly string[];
}

/** Every place that rules would try for a path, in order; which of them stands, the fork's tree decides. */
export function explainPath(pack: RulePack, path: string): Explained {
  const steps: string[] = [];
  let first: string | undefined;
  const rename = (place: string): string => {
    const slash = place.lastIndexOf('/') + 1;
    let name = place.slice(slash);
    for (const rule of pack.names) {
      if (!name.includes(rule.from)) continue;
      const next = name.replaceAll(rule.from, rule.to);
      steps.push(`${rule.id}: file name ${name} becomes ${next}`);
      name = next;
    }
    return place.slice(0, slash) + name;
  };
  for (const rule of pack.paths) {
    const folder = rule.from.endsWith('/') && path.startsWith(rule.from);
    if (!folder && rule.from !== path) continue;
    const to = folder ? rule.to + path.slice(rule.from.length) : rule.to;
    steps.push(`${rule.id}: characters 1-${rule.from.length} become ${rule.to}`);
    first ??= rename(to);
  }
  if (path.endsWith('.go')) steps.push(...movedOut(pack, path.slice(0, Math.max(0, path.lastIndexOf('/')))));
  const again = (remake: string | undefined): string =>
    remake === undefined ? '' : `; made anew by ${remake}`;
  for (const rule of pack.skip)
    if (matchesAnyGlob(rule.files ?? [], path))
      steps.push(`${rule.id}: never comes over (skip)${again(rule.remake)}`);
  for (const rule of pack.merge)
    if (matchesAnyGlob(rule.files, path))
      steps.push(`${rule.id}: merged as ${rule.driver}${again(rule.remake)}`);
  return { from: path, to: first ?? rename(path), steps };
}

/** Functions of one package that went to several: where, the fork's declarations decide. */
function movedOut(pack: RulePack, folder: string): readonly string[] {
  return pack.symbols
    .filter((rule) => rule.package === folder && rule.foreign !== true)
    .map((rule) => {
      const names = [...(rule.names ?? []), ...Object.keys(rule.renamed ?? {})];
      return `${rule.id}: what declares ${names.join(', ')} went to ${rule.to}/`;
    });
}

/**
 * What the translator of picks makes of a text in a file that nobody has looked at: the spans, character by character,
 * what stays protected, and what is a path if upstream has one of that name.
 */
export function explainText(pack: RulePack, text: string, path: string): Explained {
  const kind = fileKind(path);
  const words = compileWords(pack.words, pack.protected);
  const { text: to, spans } = translateByRules(
    {
      path,
      kind,
      brand: compileBrand(pack),
      words,
      commands: pack.commands,
      paths: new Map(),
      name: pack.info.upstream.name,
    },
    text,
  );
  const steps = spans.map((span) => {
    const what = `characters ${span.start + 1}-${span.end} (${text.slice(span.start, span.end)})`;
    return span.fixed ? `${span.rule}: ${what} are protected` : `${span.rule}: ${what} become ${span.to}`;
  });
  const places = findPaths(path, kind, text).flatMap(({ path: named, start }): readonly string[] => {
    const place = explainPath(pack, named).to;
    if (place === named) return [];
    const what = `characters ${start + 1}-${start + named.length} (${named})`;
    return [`path: ${what} become ${place} where upstream has such a file or folder`];
  });
  const commands = rewriteCommands(pack.commands, text).rules.map(
    (rule) => `${rule.id}: the command ${rule.from} becomes ${rule.to}, before its words are rewritten`,
  );
  return { from: text, to, steps: [...commands, ...steps, ...places, ...symbolSteps(pack, text)] };
}

/** Go names that symbol rules would move; whether they do, the fork's declarations and the file's imports decide. */
function symbolSteps(pack: RulePack, text: string): readonly string[] {
  return [...text.matchAll(/(?<![\w./])([a-zA-Z_]\w*)\.([A-Z]\w*)/g)].flatMap((match) => {
    const [whole, qualifier = '', name = ''] = match;
    return pack.symbols
      .filter((rule) => defaultName(rule.package) === qualifier)
      .flatMap((rule): readonly string[] => {
        const to = rule.renamed?.[name] ?? (rule.names?.includes(name) === true ? name : undefined);
        if (to === undefined) return [];
        const where = `characters ${match.index + 1}-${match.index + whole.length} (${whole})`;
        return [
          `${rule.id}: in Go, ${where} become ${rule.alias ?? defaultName(rule.to)}.${to} where ${rule.to} declares it`,
        ];
      });
  });
}
