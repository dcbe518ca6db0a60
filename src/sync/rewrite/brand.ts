// The brand words of a pack: folding them away so that lines compare, and telling a rename from another edit.
import type { RulePack } from '../rules/model.ts';
import type { Vocabulary } from './evidence.ts';
import type { FoldKind } from './line-store.ts';

export interface Brand extends Vocabulary {
  /** Whether text holds a word that names upstream. */
  readonly inText: (text: string) => boolean;
  /** Whether text holds a word that names upstream or the fork. */
  readonly inEither: (text: string) => boolean;
  readonly foldLine: (line: string, kind: FoldKind) => string;
  readonly foldName: (path: string) => string;
  /** `a` or `an` as the words around ask for. */
  readonly fixArticle: (article: string, next: string) => string;
}

const qualified = /\b[a-zA-Z]\w*\.([A-Z]\w*)/g;

/** Compiles the brand words of a pack. */
export function compileBrand(pack: RulePack): Brand {
  const upstreamWords = pack.info.upstream.brands;
  const forkWords = pack.info.fork.brands;
  // Words are words, whatever characters they hold: nothing in these expressions can repeat, so they are linear.
  const anyOf = (words: readonly string[]): string => words.map(escapeLiteral).join('|') || '(?!)';
  const upstream = new RegExp(anyOf(upstreamWords), 'i');
  const either = new RegExp(anyOf([...forkWords, ...upstreamWords]), 'i');
  // Short forms of the fork's name (`inc`) are only the brand at the start of a word that goes on with one of these.
  const shortForms = pack.info.fork.shortForms.map(
    (word) => `\\b${escapeLiteral(word)}(?=[ _\\d"'\`t])|${escapeLiteral(word.toUpperCase())}(?=_)`,
  );
  const fold = new RegExp(
    anyOf([...forkWords, ...upstreamWords]) + shortForms.map((form) => `|${form}`).join(''),
    'gi',
  );
  // A whole word, or a part of a name in camel case or with underscores: `observer` is no `server`.
  const standIn = new RegExp(
    `(?:^|[^A-Za-z])(?:${anyOf(pack.info.fork.standIns)})(?![a-z])|(?:${anyOf(pack.info.fork.standIns.map(capitalised))})(?![a-z])`,
  );
  const shortForm = new RegExp(`^(?:${anyOf(pack.info.fork.shortForms)})(?=(.*))`, 'i');
  const restOf = (word: string): string => word.replace(upstream, '').toLowerCase();
  const homes = [...pack.info.upstream.modules, ...pack.info.fork.modules]
    .map((module) => module.split('/').slice(0, 2).join('/'))
    .map((home) => `${escapeLiteral(home)}/@`);
  const home = new RegExp([...new Set(homes)].join('|'), 'g');
  const vowel = new RegExp(`^[\`*\\[_]*(?:${anyOf(pack.info.fork.vowelWords)})`, 'i');
  const renamedSymbols = new Map<string, string>();
  for (const rule of pack.symbols)
    for (const [before, after] of Object.entries(rule.renamed ?? {})) renamedSymbols.set(before, after);

  const foldLine: Brand['foldLine'] = (line, kind) => {
    // Single blanks, which is what most lines have, are left as they are.
    let folded = line
      .trim()
      .replace(/[ \t\r\f\v]{2,}|[\t\r\f\v]/g, ' ')
      .replace(fold, '@');
    if (folded.includes('@')) folded = folded.replace(home, 'home/@').replace(/\ban @/g, 'a @');
    if (kind !== 'go') return folded;
    return folded.replace(qualified, (_, name: string) => `.${renamedSymbols.get(name) ?? name}`);
  };

  return {
    foldLine,
    foldCode: (code) => foldLine(code, 'go'),
    inText: (text) => upstream.test(text),
    inEither: (text) => either.test(text),
    mayRename: (token) => either.test(token) || (token.length > 1 && token.includes('.')),
    plausible(before, after) {
      if (before.includes('.')) return /^[A-Za-z_]\w*(?:\.[A-Z]\w*)?$/.test(after);
      if (pack.info.fork.compounds.includes(after) && upstreamWords.includes(before)) return true;
      if (/[ \t]/.test(after) || after.length > 40) return false;
      // A word all in capitals in place of the plain brand is the start of another token, not a spelling of it.
      if (upstream.test(before) && before === before.toUpperCase() && forkWords.includes(after.toLowerCase()))
        return after !== after.toUpperCase();
      if (before === after || after === '') return true;
      // What ends in a point or a bracket took the next token along.
      if (!/^[\w/$"'`](?:.*\w)?$/.test(after)) return false;
      if (either.test(after)) return true;
      const isWhole = upstreamWords.includes(before.toLowerCase());
      if (!isWhole && standIn.test(after)) return true;
      // `inc`, `INC_DIR`, `incbr0` for `lxdbr0`; neither `since` nor `incremental`.
      const short = shortForm.exec(after)?.[1];
      if (short !== undefined && (/^(?:$|[_\d])/.test(short) || short.toLowerCase() === restOf(before)))
        return true;
      const rest = before
        .replace(fold, '')
        .toLowerCase()
        .replace(/^_+|_+$/g, '');
      return rest.length >= 4 && after.toLowerCase().includes(rest);
    },
    foldName(path) {
      const name = path.slice(path.lastIndexOf('/') + 1);
      return name.replace(fold, '').replace(/[-_.]+/g, '');
    },
    fixArticle(article, next) {
      if (!vowel.test(next)) return article;
      if (article === 'a') return 'an';
      return article === 'A' ? 'An' : article;
    },
  };
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function escapeLiteral(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
