// What people decided about upstream commits: one small file a decision in the rule pack, readable years later.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument, stringify } from 'yaml';
import { makeFolderDurable, syncFolder, writeFileDurable } from '../../core/durable.ts';
import { systemErrorCode } from '../../core/failure.ts';
import { describeFormat, otherFormatOf, writtenHere } from '../other-format.ts';
import { type PackError, syncFailure } from '../problem.ts';
import { readGivenText } from '../read-given-text.ts';
import schemas from '../rules/rule-pack-schema.json' with { type: 'json' };
import { type SchemaNode, validateSchema } from '../rules/validate-schema.ts';

export const skipReasons = [
  'not-wanted',
  'does-not-apply',
  'removed-in-fork',
  'upstream-only',
  'superseded',
  'reverted',
  'solved-otherwise',
  'licence',
] as const;

export type SkipReason = (typeof skipReasons)[number];

interface DecisionBase {
  readonly upstream: string;
  /** `Name <mail>`. */
  readonly by: string;
  /** 2026-01-31 */
  readonly on: string;
  readonly why: string;
}

export type Decision =
  | (DecisionBase & {
      readonly decision: 'skip';
      readonly reason: SkipReason;
      /** A path upstream or in the fork; a commit after `seen` that changes it opens the question again. */
      readonly lookAgainWhen?: string;
      readonly seen?: { readonly upstream: readonly string[]; readonly fork: string };
    })
  | (DecisionBase & { readonly decision: 'take'; readonly fork: string })
  | (DecisionBase & { readonly decision: 'park' })
  /** It comes over although the rest of its pull request cannot. */
  | (DecisionBase & { readonly decision: 'alone' });

const folderName = 'decisions';
const largestFile = 64 * 1024;
const fileName = /^([0-9a-f]{40})\.yaml$/;

/**
 * All decisions of a pack, by upstream commit.
 * @throws {Failure<SyncProblem>} pack-invalid, with every error of every file
 */
export function readDecisions(pack: string): ReadonlyMap<string, Decision> {
  const folder = join(pack, folderName);
  const decisions = new Map<string, Decision>();
  if (!existsSync(folder)) return decisions;
  const errors: PackError[] = [];
  for (const name of readdirSync(folder).toSorted()) {
    if (!name.endsWith('.yaml') && !name.endsWith('.yml')) continue;
    const file = `${folderName}/${name}`;
    const sha = fileName.exec(name)?.[1];
    if (sha === undefined) {
      errors.push({ file, at: 'name', why: 'a decision is named after its upstream commit: SHA.yaml' });
      continue;
    }
    const found = readDecision(join(folder, name), sha);
    if ('errors' in found) errors.push(...found.errors.map((error) => ({ file, ...error })));
    else decisions.set(sha, found.decision);
  }
  if (errors.length > 0) throw syncFailure({ code: 'pack-invalid', errors });
  return decisions;
}

type Written = Decision & { readonly format?: number; readonly writtenBy?: string };
type Read = { readonly decision: Decision } | { readonly errors: readonly Omit<PackError, 'file'>[] };

function readDecision(path: string, sha: string): Read {
  const read = readGivenText(path, largestFile, 'refuse');
  if ('why' in read) return { errors: [{ at: 'file', why: read.why }] };
  const document = parseDocument(read.text, { uniqueKeys: true });
  if (document.errors.length > 0)
    return {
      errors: document.errors.map((error) => ({ at: 'text', why: error.message.split('\n')[0] ?? '' })),
    };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    return { errors: [{ at: 'aliases', why: error instanceof Error ? error.message : String(error) }] };
  }
  const other = otherFormatOf(value);
  if (other !== undefined) return { errors: [{ at: 'format', why: describeFormat(other) }] };
  const kind =
    typeof value === 'object' && value !== null && 'decision' in value ? String(value.decision) : '';
  const kinds: Readonly<Record<string, unknown>> = schemas.decisions;
  if (!Object.hasOwn(kinds, kind))
    return { errors: [{ at: 'decision', why: 'one of skip, park, take, alone is needed' }] };
  const errors = validateSchema(value, kinds[kind] as SchemaNode);
  if (errors.length > 0) return { errors };
  // The schema has just proven the shape.
  const { format: _format, writtenBy: _writer, ...decision } = value as Written;
  if (decision.upstream !== sha)
    return { errors: [{ at: 'upstream', why: 'the file is named after another commit' }] };
  return { decision };
}

/** Writes a decision over an earlier one of the same commit; returns the file's path. */
export function writeDecision(pack: string, decision: Decision): string {
  const folder = join(pack, folderName);
  const path = join(folder, `${decision.upstream}.yaml`);
  try {
    makeFolderDurable(folder, 0o755);
    writeFileDurable(path, stringify({ ...writtenHere, ...decision }, { lineWidth: 100 }), 0o644);
  } catch (error) {
    const code = systemErrorCode(error);
    throw code === undefined ? error : syncFailure({ code: 'cannot-write', path, why: code }, error);
  }
  return path;
}

/** Takes a decision back; false where there is none. */
export function removeDecision(pack: string, upstream: string): boolean {
  const folder = join(pack, folderName);
  const path = join(folder, `${upstream}.yaml`);
  if (!existsSync(path)) return false;
  rmSync(path);
  syncFolder(folder);
  return true;
}
