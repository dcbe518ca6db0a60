// The rule pack as values: everything that is particular to one pair of upstream and fork.
export type Scope = 'code' | 'string' | 'comment' | 'prose' | 'cli' | 'url' | 'env';

export interface Example {
  readonly in: string;
  readonly out: string;
  readonly scope?: Scope;
  /** The upstream file that the text stands in, for rules that hold in some files. */
  readonly as?: string;
}

/** What every rule has. */
export interface RuleBase {
  readonly id: string;
  readonly description: string;
  readonly examples?: readonly Example[];
  /** Hits over the replayed pairs: at least this many, unless 0 with a reason in the description. */
  readonly expect?: number;
  /** Applies to upstream commits that have this one as an ancestor (or are it). */
  readonly since?: string;
  /** Does not apply any more to upstream commits that have this one as an ancestor (or are it). */
  readonly until?: string;
}

export interface PathRule extends RuleBase {
  /** A folder with its slash, or a file. */
  readonly from: string;
  readonly to: string;
  /** Why the way back is not unique. */
  readonly lossy?: string;
}

export interface NameRule extends RuleBase {
  /** A piece of a file name. */
  readonly from: string;
  readonly to: string;
  /** Why the way back is not unique. */
  readonly lossy?: string;
}

export type Boundary = 'any' | 'word' | 'letter' | readonly string[];

export interface WordRule extends RuleBase {
  readonly from: string;
  readonly to: string;
  readonly left?: Boundary;
  readonly right?: Boundary;
  readonly scopes?: readonly Scope[];
  readonly files?: readonly string[];
  /** Why the way back is not unique (`lxc` and `lxd` both become `incus`). */
  readonly lossy?: string;
}

/** A command line whose arguments the fork takes otherwise; `{name}` stands for any word of it. */
export interface CommandRule extends RuleBase {
  /** Words of upstream's that the command may begin with. */
  readonly programs: readonly string[];
  readonly from: string;
  readonly to: string;
  /** Words that the first `{name}` is not: subcommands that both have. */
  readonly not?: readonly string[];
  /** Options whose value is the word after them: it is no argument. */
  readonly valued?: readonly string[];
  readonly files?: readonly string[];
  /** A name of the fork's Go code without which it does not take this command yet. */
  readonly declares?: string;
}

export interface ProtectedRule extends RuleBase {
  readonly words: readonly string[];
  readonly left?: Boundary;
}

export interface SymbolRule extends RuleBase {
  /** Upstream's package, as its path below the module. */
  readonly package: string;
  /** The fork's package, as its path below the module. */
  readonly to: string;
  /** Both are packages of somebody else (`io/ioutil` → `os`); holds while the fork imports the first nowhere. */
  readonly foreign?: boolean;
  /** The name that the fork imports it by, where that is not the package's own. */
  readonly alias?: string;
  /** Names that keep their name. */
  readonly names?: readonly string[];
  /** Names that changed. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Why the way back is not unique. */
  readonly lossy?: string;
}

export interface MergeRule extends RuleBase {
  readonly files: readonly string[];
  readonly driver: MergeDriver;
  /** How entries of an ordered list begin. */
  readonly entries?: readonly string[];
  /** What makes a generated file anew, for a person to run after the pick. */
  readonly remake?: string;
}

export type MergeDriver = 'append-list' | 'ordered-list' | 'generated' | 'ours' | 'text';

/** Files that never come over, or whole commits: named one by one, or by how their subject begins. */
export interface SkipRule extends RuleBase {
  readonly files?: readonly string[];
  readonly commits?: readonly string[];
  readonly subjects?: readonly string[];
  /** What makes a skipped file anew, for a person to run after the pick. */
  readonly remake?: string;
}

/** Somebody else's Go package that the fork replaced by another one with the same names. */
export interface ImportRule extends RuleBase {
  readonly from: string;
  readonly to: string;
}

/** What a run leaves out unless it is asked for by name: by subject, by author, or since it touches only these files. */
export interface LeaveOutRule extends RuleBase {
  /** Patterns in which `*` stands for any text. */
  readonly subjects?: readonly string[];
  /** Patterns of author e-mails. */
  readonly authors?: readonly string[];
  readonly onlyFiles?: readonly string[];
  /** Patterns of the subject of the merge that brought a commit in: whole pull requests. */
  readonly merges?: readonly string[];
}

/**
 * Which commits come over although other commits of their pull request cannot: all that is given has to hold. Of a barred
 * commit nothing but its subject is looked at.
 */
export interface StandAloneRule extends RuleBase {
  /** Patterns of the subject of the commit that comes over. */
  readonly subjects?: readonly string[];
  /** Patterns of the subject of the merge. */
  readonly merges?: readonly string[];
  /** Patterns of subjects; all that is missing is of one of these. */
  readonly missing?: readonly string[];
}

export interface MessageRule extends RuleBase {
  readonly from: string;
  readonly to: string;
  readonly left?: Boundary;
  readonly right?: Boundary;
  readonly where: 'subject' | 'body' | 'all';
}

export interface DoubtRule extends RuleBase {
  readonly words: readonly string[];
  /** The doubt holds for lines with a quoted word that none of these files of the fork has. */
  readonly unlistedIn?: readonly string[];
  readonly left?: Boundary;
}

/** Under what licences upstream's commits may come over; what is not listed here may not. */
export interface LicencePolicy {
  /** SPDX identifiers. */
  readonly compatible: readonly string[];
  /** Branches that commits are taken from; all others are closed. */
  readonly branches: readonly { readonly name: string; readonly description: string }[];
  /** Names of licence texts; the nearest one above a file counts for it. */
  readonly files: readonly string[];
  /** Trailers in which a commit names its licence. */
  readonly trailers: readonly string[];
  /** Known texts, by the SHA-256 of the text with every run of white space as one blank. */
  readonly texts: readonly { readonly id: string; readonly sha256: string }[];
}

export interface PackInfo {
  readonly name: string;
  readonly description: string;
  readonly forkPoint: string;
  readonly forkPointTime: number;
  /** What the fork's maintainers put before the subject of an import. */
  readonly subjectPrefix: string;
  /** How names of stable branches begin; a version follows. A title of a pull request onto one ends with its name. */
  readonly stableBranches?: readonly string[];
  /** Who picks: a fixed name, so that the same pick has the same sha everywhere. */
  readonly committer: string;
  readonly upstream: Side;
  readonly fork: ForkSide;
  /** Without one nothing is cleared. */
  readonly licence?: LicencePolicy;
}

export interface ForkSide extends Side {
  /** Short forms of the name that stand at the start of a word. */
  readonly shortForms: readonly string[];
  /** Words that the fork coined in place of a name with the brand in it. */
  readonly standIns: readonly string[];
  /** Several words in place of one (`lxd` → `incus admin`). */
  readonly compounds: readonly string[];
  /** Words of the fork that take `an` where upstream's took `a`. */
  readonly vowelWords: readonly string[];
}

export interface Side {
  readonly name: string;
  /** `owner/name` on the forge. */
  readonly repository: string;
  /** Go modules, the present one first; a version suffix may follow. */
  readonly modules: readonly string[];
  /** Words that name the project: what stands for "the brand" where two lines are compared. */
  readonly brands: readonly string[];
}

export interface RulePack {
  readonly hash: string;
  readonly folder: string;
  readonly info: PackInfo;
  readonly paths: readonly PathRule[];
  readonly names: readonly NameRule[];
  readonly words: readonly WordRule[];
  readonly commands: readonly CommandRule[];
  readonly protected: readonly ProtectedRule[];
  readonly symbols: readonly SymbolRule[];
  readonly imports: readonly ImportRule[];
  readonly merge: readonly MergeRule[];
  readonly skip: readonly SkipRule[];
  readonly leaveOut: readonly LeaveOutRule[];
  readonly standAlone: readonly StandAloneRule[];
  readonly messages: readonly MessageRule[];
  readonly doubts: readonly DoubtRule[];
}
