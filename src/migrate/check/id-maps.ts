// Findings about /etc/subuid and /etc/subgid: Incus must give every container the ids that its files have.
import type { DaemonMap } from '../id-maps/daemon-ranges.ts';
import { defaultRange, type IdRange } from '../id-maps/id-range.ts';
import type { Fate } from '../id-maps/map-at-start.ts';
import { oddBytesInWords, oddBytesOf } from '../id-maps/odd-bytes.ts';
import type { OddLine, SubidLine } from '../id-maps/parse-subid.ts';
import { type IdMapPlan, lineOf, planIdMaps } from '../id-maps/plan-id-maps.ts';
import { type IdKind, idKinds, idMapFiles } from '../id-maps/read-subids.ts';
import type { Finding } from '../model/finding.ts';
import type { CheckContext } from './context.ts';

export function checkIdMaps({ host, sourceDatabase: { db }, target }: CheckContext): Finding[] {
  const plan = planIdMaps({ host, db, hasTarget: target?.program !== undefined });
  const unreadable = whatCannotBeRead(plan);
  if (unreadable.length > 0) return unreadable;
  if (plan.containers.length === 0) return [];
  return [
    ...linesAdded(plan),
    ...outside(plan),
    ...notGranted(plan),
    ...otherIds(plan),
    ...severalRanges(plan),
    ...rangesDiffer(plan),
    ...oddLines(plan),
  ];
}

/** A pipe is waited for by either daemon when it starts, whatever containers there are; a bad line matters to those alone. */
function whatCannotBeRead({ files, containers }: IdMapPlan): Finding[] {
  const objects = idKinds.flatMap((kind) => {
    const file = files[kind];
    if (file.is === 'unreadable') return [`${idMapFiles[kind]}: ${file.why}`];
    const line = file.is === 'read' && containers.length > 0 ? file.subids.givenUpAt : undefined;
    if (line === undefined) return [];
    const odd = oddBytesOf(line.text);
    return [`${lineIn(kind, line)}${odd === undefined ? '' : `: ${oddBytesInWords(odd)}`}`];
  });
  if (objects.length === 0) return [];
  return [
    {
      id: 'id-map-file-unreadable',
      severity: 'blocker',
      objects,
      what: 'LXD and Incus read the whole file or nothing of it. A line that is no OWNER:FIRST:COUNT and no comment ends that, and then only privileged containers work.',
      action:
        'Mend the file (write the line as it was meant, put a # before it, or remove it), then plan again.',
    },
  ];
}

function linesAdded({ lines, wanted }: IdMapPlan): Finding[] {
  if (lines.length === 0) return [];
  const usual = lines.every(({ line }) => line === lineOf(defaultRange));
  const known = wanted.uid !== undefined || wanted.gid !== undefined;
  return [
    {
      id: 'id-range-added',
      severity: 'change',
      objects: lines.map(({ file, line }) => `${file}: ${line}`),
      what: usual
        ? 'root has no range of ids here. LXD then takes 1000000 to 1000999999; Incus takes none, and no unprivileged container would start.'
        : `Without these lines Incus would not give the containers the ids that they have now.`,
      action: [
        'The lines are added.',
        ...(known ? ['They hold every map that the containers have: no file gets another owner.'] : []),
        ...(lines.some(({ neededBySource }) => neededBySource)
          ? ['They stay after a rollback: LXD could not start these containers without them either.']
          : []),
      ].join(' '),
    },
  ];
}

function objectsWith({ fates }: IdMapPlan, ...wanted: readonly Fate[]): string[] {
  return [...fates].filter(([, fate]) => wanted.includes(fate)).map(([object]) => object);
}

function outside(plan: IdMapPlan): Finding[] {
  const objects = objectsWith(plan, 'files-change', 'no-start');
  if (objects.length === 0) return [];
  return [
    {
      id: 'id-range-too-small',
      severity: 'blocker',
      objects,
      what: `These containers' files belong to ids that Incus would not take for theirs: it finds ${inWords(plan.incus)}. It would give all the files other owners at the first start, or not start the containers.`,
      action:
        mended(plan, ({ isRead }) => !isRead) ??
        `Widen the one range of root so that it holds them${example(plan)}; a second large range breaks new containers in Incus. Then plan again.`,
    },
  ];
}

/** Where a line of root's is there, and a byte of it is in the way: that, and not what would be written without it. */
function mended({ files }: IdMapPlan, isInTheWay: (line: OddLine) => boolean): string | undefined {
  const lines = idKinds.flatMap((kind) => {
    const file = files[kind];
    return file.is !== 'read'
      ? []
      : file.subids.odd
          .filter(isInTheWay)
          .map(({ number, odd }) => `${idMapFiles[kind]}, line ${number}: ${oddBytesInWords(odd)}`);
  });
  return lines.length === 0
    ? undefined
    : `A byte keeps a line of root from being read: ${lines.join('. ')}. Then plan again.`;
}

/** What a person would write; where others have a part of it, that is for the person to decide. */
function example({ wanted }: IdMapPlan): string {
  const parts = idKinds.flatMap((kind) => {
    const range = wanted[kind];
    return range === undefined ? [] : [`${lineOf(range)} in ${idMapFiles[kind]}`];
  });
  return parts.length === 0 ? '' : ` (at least ${parts.join(', ')})`;
}

function notGranted(plan: IdMapPlan): Finding[] {
  const known = objectsWith(plan, 'files-change', 'no-start');
  const objects = plan.refused.filter((object) => !known.includes(object));
  if (objects.length === 0) return [];
  return [
    {
      id: 'id-range-not-granted',
      severity: 'blocker',
      objects,
      what: 'Incus starts containers with newuidmap and newgidmap, which give root only ids that /etc/subuid and /etc/subgid grant it in lines of the plain form root:FIRST:COUNT. They would refuse the maps of these containers.',
      action:
        mended(plan, () => true) ??
        `Write root's range in that form${example(plan)}, with nothing before, between or behind, then plan again.`,
    },
  ];
}

function otherIds(plan: IdMapPlan): Finding[] {
  const objects = objectsWith(plan, 'ids-change');
  if (objects.length === 0) return [];
  return [
    {
      id: 'id-range-other',
      severity: 'change',
      objects,
      what: `These containers will run with other ids on the host, since Incus finds ${inWords(plan.incus)}. Their own files follow, for their mounts are mapped.`,
      action:
        'Folders of the host that are mounted into them may belong to the former ids: look at their owners.',
    },
  ];
}

function severalRanges({ incus }: IdMapPlan): Finding[] {
  const files = idKinds.filter((kind) => (incus?.[kind].length ?? 0) > 1);
  if (files.length === 0) return [];
  return [
    {
      id: 'id-range-several',
      severity: 'loss',
      objects: files.map((kind) => `${idMapFiles[kind]}: ${(incus?.[kind] ?? []).map(lineOf).join(', ')}`),
      what: 'root has several ranges of 65536 ids or more. LXD takes the first; Incus takes all of them, and then no new container starts in it. Those that are there go on.',
      action:
        'Leave the one range that holds the maps in use, then plan again. With --accept it is moved like this.',
      answers: ['accept'],
    },
  ];
}

function rangesDiffer({ lxd, incus }: IdMapPlan): Finding[] {
  const one = (map: DaemonMap, kind: IdKind): string => (map?.[kind] ?? []).map(lineOf).join();
  if (lxd === undefined || incus === undefined || idKinds.some((kind) => incus[kind].length > 1)) return [];
  if (idKinds.every((kind) => one(lxd, kind) === one(incus, kind))) return [];
  return [
    {
      id: 'id-range-differs',
      severity: 'change',
      objects: Object.values(idMapFiles),
      what: `New containers get other ids than LXD would give them: LXD takes ${inWords(lxd)}, Incus takes ${inWords(incus)}.`,
      action: 'Nothing needs to be done: the containers that are there keep theirs.',
    },
  ];
}

function oddLines({ files }: IdMapPlan): Finding[] {
  const objects = idKinds.flatMap((kind) => {
    const file = files[kind];
    if (file.is !== 'read') return [];
    const { root, odd, cutAt } = file.subids;
    const known = new Map(odd.map((line) => [line.number, line]));
    const isRoots = new Set(root.map(({ number }) => number));
    return [
      ...root
        .filter(({ why }) => why !== undefined)
        .map((line) => {
          const at = known.get(line.number);
          return `${lineIn(kind, line)}: ${line.why}${at === undefined ? '' : ` (${oddBytesInWords(at.odd)})`}`;
        }),
      ...odd
        .filter(({ number }) => !isRoots.has(number))
        .map((line) => `${lineIn(kind, line)}: nobody takes it for root's (${oddBytesInWords(line.odd)})`),
      ...(cutAt === undefined
        ? []
        : [`${idMapFiles[kind]}, line ${cutAt}: too long, so LXD and Incus read nothing from here on`]),
    ];
  });
  if (objects.length === 0) return [];
  return [
    {
      id: 'id-map-line-odd',
      severity: 'note',
      objects,
      what: 'These lines of root are not read by everybody, or not in the same way.',
      action: 'Write them as root:FIRST:COUNT, or remove them.',
    },
  ];
}

function inWords(map: DaemonMap): string {
  const all = (ranges: readonly IdRange[]): string =>
    ranges.length === 0
      ? 'none'
      : ranges.map(({ start, size }) => `${start} to ${start + size - 1}`).join(' and ');
  if (map === undefined) return 'no range at all';
  const [uid, gid] = [all(map.uid), all(map.gid)];
  return uid === gid ? uid : `${uid} for users, ${gid} for groups`;
}

function lineIn(kind: IdKind, { number, text }: SubidLine): string {
  return `${idMapFiles[kind]}, line ${number}: ${shown(text)}`;
}

/** A line of a file that anybody may have written: short, its bytes by their values, and nothing that a terminal obeys. */
function shown(text: string): string {
  const quoted = JSON.stringify(text.slice(0, 60)).replaceAll(
    /[\x7f-\xff]/g,
    (byte) => `\\x${byte.charCodeAt(0).toString(16)}`,
  );
  return text.length > 60 ? `${quoted.slice(0, -1)}…"` : quoted;
}
