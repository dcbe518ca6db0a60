// Reads a rule pack from its folder: YAML, checked against the schema, refused as a whole where anything is wrong.

import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { systemErrorCode } from '../../core/failure.ts';
import { suggest } from '../../core/suggest.ts';
import { describeFormat, otherFormatOf } from '../other-format.ts';
import { type PackError, syncFailure } from '../problem.ts';
import { readGivenText } from '../read-given-text.ts';
import type {
  CommandRule,
  DoubtRule,
  ImportRule,
  LeaveOutRule,
  MergeRule,
  MessageRule,
  NameRule,
  PackInfo,
  PathRule,
  ProtectedRule,
  RulePack,
  SkipRule,
  StandAloneRule,
  SymbolRule,
  WordRule,
} from './model.ts';
import schemas from './rule-pack-schema.json' with { type: 'json' };
import { type SchemaNode, validateSchema } from './validate-schema.ts';

const fileSchemas: Readonly<Record<string, unknown>> = schemas.files;

/** What the files hold once the schema has passed them. */
interface PackFiles {
  readonly 'pack.yaml': PackInfo;
  readonly 'paths.yaml': { readonly paths: readonly PathRule[]; readonly names: readonly NameRule[] };
  readonly 'text.yaml': {
    readonly protected: readonly ProtectedRule[];
    readonly words: readonly WordRule[];
    readonly commands?: readonly CommandRule[];
  };
  readonly 'go.yaml': { readonly symbols: readonly SymbolRule[]; readonly imports?: readonly ImportRule[] };
  readonly 'merge.yaml': { readonly merge: readonly MergeRule[] };
  readonly 'skip.yaml': {
    readonly skip: readonly SkipRule[];
    readonly leaveOut?: readonly LeaveOutRule[];
    readonly standAlone?: readonly StandAloneRule[];
  };
  readonly 'doubts.yaml': { readonly doubts: readonly DoubtRule[] };
  readonly 'messages.yaml': { readonly messages: readonly MessageRule[] };
}

const largestFile = 4 * 1024 * 1024;

/**
 * Loads and checks a pack. The hash covers every byte of it: it keys caches and names the rules a pick was made by.
 * @throws {Failure<SyncProblem>} pack-invalid, with every error of every file
 */
export function loadPack(folder: string): RulePack {
  const errors: PackError[] = [];
  const hash = createHash('sha256');
  const unknown = namesIn(folder).filter((name) => name.endsWith('.yml') || name.endsWith('.yaml'));
  for (const name of unknown)
    if (!Object.hasOwn(fileSchemas, name))
      errors.push({ file: name, at: 'name', why: `unknown file${suggest(name, Object.keys(fileSchemas))}` });
  const read = <K extends keyof PackFiles>(name: K): PackFiles[K] => {
    const found = readYaml(folder, name, errors);
    hash.update(`${name}\0${found.text.length}\0${found.text}\0`);
    // The schema has just proven the shape; where it has not, the value is never used, for errors are thrown below.
    return asBytes(found.value) as PackFiles[K];
  };
  const info = read('pack.yaml');
  const paths = read('paths.yaml');
  const text = read('text.yaml');
  const go = read('go.yaml');
  const merge = read('merge.yaml');
  const skip = read('skip.yaml');
  const doubts = read('doubts.yaml');
  const messages = read('messages.yaml');
  if (errors.length > 0) throw syncFailure({ code: 'pack-invalid', errors });
  const pack: RulePack = {
    hash: hash.digest('hex'),
    folder,
    info,
    paths: paths.paths,
    names: paths.names,
    words: text.words,
    commands: text.commands ?? [],
    protected: text.protected,
    symbols: go.symbols,
    imports: go.imports ?? [],
    merge: merge.merge,
    skip: skip.skip,
    leaveOut: skip.leaveOut ?? [],
    standAlone: skip.standAlone ?? [],
    doubts: doubts.doubts,
    messages: messages.messages,
  };
  const doubled = doubledIds(pack);
  if (doubled.length > 0) throw syncFailure({ code: 'pack-invalid', errors: doubled });
  return pack;
}

/** The engine's text is bytes kept as latin1; a pack's words have to be the same to be found in it. */
function asBytes(value: unknown): unknown {
  if (typeof value === 'string') return Buffer.from(value, 'utf8').toString('latin1');
  if (Array.isArray(value)) return value.map(asBytes);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [asBytes(key), asBytes(inner)]));
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const why = `the folder cannot be read (${systemErrorCode(error) ?? String(error)})`;
    throw syncFailure({ code: 'pack-invalid', errors: [{ file: folder, at: 'folder', why }] }, error);
  }
}

function readYaml(
  folder: string,
  name: string,
  errors: PackError[],
): { readonly text: string; readonly value: unknown } {
  const path = join(folder, name);
  const read = readGivenText(path, largestFile);
  if ('why' in read) {
    errors.push({ file: name, at: 'file', why: read.why });
    return { text: '', value: undefined };
  }
  const { text } = read;
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, uniqueKeys: true });
  for (const error of document.errors) {
    const place = lineCounter.linePos(error.pos[0]);
    errors.push({
      file: name,
      at: `line ${place.line}, column ${place.col}`,
      why: error.message.split('\n')[0] ?? '',
    });
  }
  if (document.errors.length > 0) return { text, value: undefined };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 50 });
  } catch (error) {
    errors.push({ file: name, at: 'aliases', why: error instanceof Error ? error.message : String(error) });
    return { text, value: undefined };
  }
  const other = otherFormatOf(value);
  if (other !== undefined) {
    errors.push({ file: name, at: 'format', why: describeFormat(other) });
    return { text, value: undefined };
  }
  for (const error of validateSchema(value, fileSchemas[name] as SchemaNode))
    errors.push({ file: name, ...error });
  return { text, value };
}

function doubledIds(pack: RulePack): readonly PackError[] {
  const groups: Readonly<Record<string, readonly { readonly id: string }[]>> = {
    'paths.yaml': [...pack.paths, ...pack.names],
    'text.yaml': [...pack.protected, ...pack.words, ...pack.commands],
    'go.yaml': [...pack.symbols, ...pack.imports],
    'merge.yaml': pack.merge,
    'skip.yaml': [...pack.skip, ...pack.leaveOut, ...pack.standAlone],
    'doubts.yaml': pack.doubts,
    'messages.yaml': pack.messages,
  };
  // In the whole pack: replay --without and every reason that names a rule go by its id alone.
  const seen = new Map<string, string>();
  return Object.entries(groups).flatMap(([file, rules]) =>
    rules.flatMap(({ id }) => {
      const before = seen.get(id);
      if (before !== undefined) return [{ file, at: id, why: `another rule in ${before} has this id` }];
      seen.set(id, file);
      return [];
    }),
  );
}
