// What check, convert and verify have to say to a person.

export type FindingSeverity = 'blocker' | 'loss' | 'change' | 'note';

export interface Finding {
  /**
   * Stable name that docs/findings.md explains and --accept and --fix take: a family, and where there are several
   * of it a detail behind a colon (`key-lost:maas.api.url`).
   */
  readonly id: string;
  readonly severity: FindingSeverity;
  /** The exact objects, for instance `instance dev/c3, device home`. */
  readonly objects: readonly string[];
  readonly what: string;
  /** What the tool will do about it, or what the person can do. */
  readonly action: string;
  /** How a person can decide it: `accept` takes the loss, `fix` lets the tool mend it. */
  readonly answers?: readonly ('accept' | 'fix')[];
}

export interface Answers {
  readonly accept: ReadonlySet<string>;
  readonly fix: boolean;
}

/** Whether a finding still stands in the way of a migration, given what the person answered. */
export function isOpen(finding: Finding, answers: Answers): boolean {
  return (
    finding.severity !== 'note' && finding.severity !== 'change' && answerTo(finding, answers) === undefined
  );
}

/** What was answered to a finding that stands in the way; undefined where nothing was, or nothing can be. */
export function answerTo(finding: Finding, answers: Answers): 'accepted' | 'to be mended' | undefined {
  if (finding.severity === 'note' || finding.severity === 'change') return undefined;
  if (finding.answers?.includes('accept') === true && answers.accept.has(finding.id)) return 'accepted';
  if (finding.answers?.includes('fix') === true && answers.fix) return 'to be mended';
  return undefined;
}

const order: readonly FindingSeverity[] = ['blocker', 'loss', 'change', 'note'];

/** Blockers first; findings of one id become one, with the objects of all. */
export function mergeFindings(findings: readonly Finding[]): Finding[] {
  const byId = new Map<string, Finding>();
  for (const finding of findings) {
    const known = byId.get(finding.id);
    if (known === undefined) byId.set(finding.id, finding);
    else byId.set(finding.id, { ...known, objects: [...new Set([...known.objects, ...finding.objects])] });
  }
  return [...byId.values()].sort(
    (a, b) => order.indexOf(a.severity) - order.indexOf(b.severity) || (a.id < b.id ? -1 : 1),
  );
}
