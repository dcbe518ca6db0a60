// The licence gate: whether a commit is proven to be under a licence that may come over. Closed unless proven open.
import { createHash } from 'node:crypto';
import type { Commit } from '../git/commit.ts';
import type { Change, Objects } from '../git/objects.ts';
import { fileMode } from '../git/tree.ts';
import type { LicencePolicy } from '../rules/model.ts';
import { readTrailers } from './read-trailers.ts';
import { allowsCompatible, readSpdxHeaders } from './spdx.ts';

export type Verdict =
  | {
      readonly cleared: true;
      /** What proves it, in the order in which it was looked at. */
      readonly evidence: readonly string[];
      /** What of upstream's tree may be read beside the files that the commit touches: all, or these folders. */
      readonly scope: 'tree' | readonly string[];
    }
  | {
      readonly cleared: false;
      /** Names licences and folders with a licence text of their own; nothing else of the commit. */
      readonly reason: string;
    };

export interface Gate {
  /** Reads commits, trees and licence texts; no other blob. */
  judge(commit: Commit): Promise<Verdict>;
  /** Whether the licence text of its whole tree may come over: quicker than a verdict, and a reason not to ask for one. */
  isOpenAtRoot(commit: Commit): Promise<boolean>;
  /** Reads what a cleared commit touches; a header in it may still close the gate. */
  judgeHeaders(changes: readonly Change[]): Promise<Verdict | undefined>;
}

/** The licence text that counts for a folder: its own, or the one of the nearest folder above. */
interface FolderLicence {
  readonly folder: string;
  /** SPDX identifiers, or what is wrong with a text. */
  readonly ids: readonly string[];
}

/** Makes the gate of a policy. */
export function createGate(objects: Objects, policy: LicencePolicy | undefined): Gate {
  if (policy === undefined)
    return {
      judge: async () => ({ cleared: false, reason: 'the rule pack has no licence policy' }),
      isOpenAtRoot: async () => false,
      judgeHeaders: async () => undefined,
    };
  const known = new Map(policy.texts.map((text) => [text.sha256, text.id]));
  const claimNames = new Set(policy.trailers.map((name) => name.toLowerCase()));
  const stems = [...new Set(policy.files.map((name) => name.slice(0, 4)))];
  const texts = new Map<string, Promise<string>>();

  const identify = (sha: string): Promise<string> => {
    const before = texts.get(sha);
    if (before !== undefined) return before;
    const found = objects.textIfHere(sha).then((text) => {
      if (text === undefined) return 'a licence text that is not here';
      const plain = text.split(/[ \t\r\n\f\v]+/).filter((word) => word !== '');
      const sha256 = createHash('sha256').update(plain.join(' '), 'latin1').digest('hex');
      return known.get(sha256) ?? 'an unknown licence text';
    });
    texts.set(sha, found);
    return found;
  };
  /** Undefined where a tree has no licence text of its own. */
  const ownLicence = async (tree: string): Promise<readonly string[] | undefined> => {
    // Most folders have no such name, which a look for how they begin shows at once.
    if (!(await objects.mayHold(tree, stems))) return undefined;
    const own: Promise<string>[] = [];
    for (const name of policy.files) {
      const entry = await objects.entryIn(tree, name);
      if (entry !== undefined)
        own.push(
          entry.mode === fileMode.file || entry.mode === fileMode.executable
            ? identify(entry.sha)
            : Promise.resolve('a licence text that is no file'),
        );
    }
    return own.length === 0 ? undefined : Promise.all(own);
  };
  const compatible = (ids: readonly string[]): boolean =>
    ids.length > 0 && ids.every((id) => policy.compatible.includes(id));
  const none: FolderLicence = { folder: '', ids: [] };

  /** Collects the licences that count for everything that differs between two trees. */
  const collect = async (
    found: Map<string, FolderLicence>,
    path: string,
    before: { readonly tree: string | undefined; readonly licence: FolderLicence },
    after: { readonly tree: string | undefined; readonly licence: FolderLicence },
  ): Promise<void> => {
    if (before.tree === after.tree) return;
    const licenceOf = async (side: typeof before): Promise<FolderLicence> => {
      const own = side.tree === undefined ? undefined : await ownLicence(side.tree);
      return own === undefined ? side.licence : { folder: path, ids: own };
    };
    const [left, right] = await Promise.all([licenceOf(before), licenceOf(after)]);
    const meet = (licence: FolderLicence): void => {
      found.set(`${licence.folder}\0${licence.ids.join()}`, licence);
    };
    for (const { name, before: one, after: two } of await objects.differing(before.tree, after.tree)) {
      const [oneTree, twoTree] = [one, two].map((entry) =>
        entry?.mode === fileMode.tree ? entry.sha : undefined,
      );
      if (oneTree !== undefined || twoTree !== undefined)
        await collect(
          found,
          path === '' ? name : `${path}/${name}`,
          { tree: oneTree, licence: left },
          { tree: twoTree, licence: right },
        );
      if (one !== undefined && oneTree === undefined) meet(left);
      if (two !== undefined && twoTree === undefined) meet(right);
    }
  };

  const claims = (commit: Commit): readonly string[] =>
    readTrailers(commit.message)
      .filter((trailer) => claimNames.has(trailer.name))
      .map((trailer) => trailer.value);

  return {
    async judge(commit) {
      const [parentSha] = commit.parents;
      const parent = parentSha === undefined ? undefined : await objects.commitIfHere(parentSha);
      if (parentSha !== undefined && parent === undefined)
        return { cleared: false, reason: 'its parent is not here: what it changes cannot be told' };
      const claimed = claims(commit);
      const foreign = claimed.find((claim) => !allowsCompatible(claim, policy.compatible));
      if (foreign !== undefined)
        return { cleared: false, reason: 'a trailer names a licence that may not come over' };
      const found = new Map<string, FolderLicence>();
      await collect(found, '', { tree: parent?.tree, licence: none }, { tree: commit.tree, licence: none });
      const licences = [...found.values()];
      const closed = licences.filter((licence) => !compatible(licence.ids));
      const open = licences.filter((licence) => compatible(licence.ids));
      const folders = [...new Set(open.map((licence) => licence.folder))];
      if (closed.length === 0)
        return {
          cleared: true,
          scope: folders.includes('') ? 'tree' : folders,
          evidence: [...new Set(open.map((licence) => `${placeOf(licence)}: ${licence.ids.join(', ')}`))],
        };
      if (claimed.length > 0)
        return { cleared: true, scope: folders, evidence: claimed.map((claim) => `trailer: ${claim}`) };
      const what = [
        ...new Set(
          closed.flatMap((licence) => (licence.ids.length === 0 ? ['no licence text'] : licence.ids)),
        ),
      ];
      const parts = [
        ...new Set(open.flatMap((licence) => (licence.folder === '' ? [] : [`${licence.folder}/`]))),
      ];
      const mixed =
        parts.length === 0 ? '' : `; mixed: the part under ${parts.join(' and ')} alone would be cleared`;
      return { cleared: false, reason: `${what.join(', ')}${mixed}` };
    },
    isOpenAtRoot: async (commit) => compatible((await ownLicence(commit.tree)) ?? []),
    async judgeHeaders(changes) {
      for (const { before, after } of changes)
        for (const entry of [before, after]) {
          if (entry === undefined || entry.mode === fileMode.submodule) continue;
          const bad = readSpdxHeaders(await objects.text(entry.sha)).some(
            (expression) => !allowsCompatible(expression, policy.compatible),
          );
          if (bad)
            return { cleared: false, reason: 'the header of a file names a licence that may not come over' };
        }
      return undefined;
    },
  };
}

function placeOf(licence: FolderLicence): string {
  return licence.folder === '' ? 'COPYING' : `${licence.folder}/COPYING`;
}
