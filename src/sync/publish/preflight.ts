// The last look at a pick before it is pushed: what the fork's own rules, or GitHub, would make of it.
import type { Commit } from '../git/commit.ts';
import type { Objects } from '../git/objects.ts';
import { fileMode } from '../git/tree.ts';
import { bareReference, closingReference } from '../pick/rewrite-message.ts';
import { compileBrand } from '../rewrite/brand.ts';
import type { RulePack } from '../rules/model.ts';

export interface Finding {
  readonly check:
    | 'sign-off'
    | 'closing-keyword'
    | 'foreign-reference'
    | 'mention'
    | 'doubled'
    | 'forbidden-trailer'
    | 'marker'
    | 'upstream-word';
  readonly why: string;
  /** Whether the commit must not be pushed like this; otherwise a person should look. */
  readonly holds: boolean;
  readonly path?: string;
}

export interface PreflightOptions {
  /** Words that the fork's own checks refuse in trailers that name people; in small letters. */
  readonly forbiddenTrailerWords: readonly string[];
}

const signOff = /^Signed-off-by: .*<([^<>\s]+)>\s*$/i;
const people = /^(?:author|assisted-by|co-authored-by|signed-off-by):/i;
const picked = /^\(cherry picked from commit ([0-9a-f]{40})\)$/;
// What GitHub links: a name after @ that no letter, dot or slash stands before (addresses, modules@version).
const mention = /(?<![\w.@/`-])@([A-Za-z0-9](?:[\w-]*[A-Za-z0-9])?(?:\/[\w-]+)?)/;
const marker = /^(?:<{7}|\|{7}|>{7})(?: |$)/;

/** What is wrong with a pick's message (bytes as latin1). */
export function checkMessage(
  commit: Pick<Commit, 'message' | 'author'>,
  pack: Pick<RulePack, 'info'>,
  options: PreflightOptions,
): readonly Finding[] {
  const findings: Finding[] = [];
  const find = (check: Finding['check'], why: string): void => {
    findings.push({ check, why, holds: true });
  };
  const [subject = '', ...rest] = commit.message.trimEnd().split('\n');
  const signers = rest.flatMap((line) => signOff.exec(line)?.[1]?.toLowerCase() ?? []);
  if (!signers.includes(commit.author.email.toLowerCase()))
    find('sign-off', `no Signed-off-by of its author ${commit.author.who}`);
  const prefix = pack.info.subjectPrefix.trim();
  if (prefix !== '' && subject.split(prefix).length > 2)
    find('doubled', `the tag ${prefix} stands there twice`);
  const trailers = rest.filter((line) => signOff.test(line) || picked.test(line));
  const twice = trailers.find((line, index) => trailers.indexOf(line) !== index);
  if (twice !== undefined) find('doubled', `this line stands there twice: ${twice}`);
  for (const line of [subject, ...rest]) {
    // The patterns are shared, and remember where they were.
    closingReference.lastIndex = 0;
    bareReference.lastIndex = 0;
    if (closingReference.test(line)) find('closing-keyword', `this would close an issue: ${line}`);
    else if (bareReference.test(line)) find('foreign-reference', `this number is upstream's: ${line}`);
    const name = people.test(line) ? undefined : mention.exec(line)?.[1];
    if (name !== undefined) find('mention', `this would call ${name}: ${line}`);
    const word = people.test(line)
      ? options.forbiddenTrailerWords.find((one) => line.toLowerCase().includes(one))
      : undefined;
    if (word !== undefined) find('forbidden-trailer', `a trailer with ${word}: ${line}`);
  }
  return findings;
}

/** What is wrong with the lines that a pick adds. */
export async function checkFiles(
  commit: Commit,
  objects: Objects,
  pack: RulePack,
): Promise<readonly Finding[]> {
  const [parent] = commit.parents;
  const before = parent === undefined ? undefined : (await objects.commit(parent)).tree;
  const brand = compileBrand(pack);
  const wordsOf = upstreamWords(pack, brand.inText);
  const findings: Finding[] = [];
  for (const change of await objects.compare(before, commit.tree)) {
    if (change.after === undefined || change.after.mode === fileMode.submodule) continue;
    const text = await objects.text(change.after.sha);
    if (text.includes('\0')) continue;
    const old =
      change.before === undefined || change.before.mode === fileMode.submodule
        ? ''
        : await objects.text(change.before.sha);
    const known = new Set(old.split('\n'));
    const added = text.split('\n').filter((line) => !known.has(line));
    const { path } = change;
    if (added.some((line) => marker.test(line)))
      findings.push({ check: 'marker', why: 'a conflict marker is left in it', holds: true, path });
    // Words that this very file of the fork uses are the fork's own.
    const inFork = new Set(wordsOf(old));
    const left = [...new Set(added.flatMap(wordsOf))].filter((word) => !inFork.has(word));
    if (left.length > 0)
      findings.push({
        check: 'upstream-word',
        why: `new lines name upstream: ${left.slice(0, 5).join(', ')}`,
        holds: false,
        path,
      });
  }
  return findings;
}

function upstreamWords(
  pack: RulePack,
  inText: (text: string) => boolean,
): (text: string) => readonly string[] {
  const spared = pack.protected.flatMap(({ words }) => words);
  return (text) => {
    const plain = spared.reduce((rest, word) => rest.split(word).join(' '), text);
    return (plain.match(/[\w.-]+/g) ?? []).filter(inText);
  };
}
