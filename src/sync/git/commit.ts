// Commit objects: parsing and formatting, byte for byte; text stays latin1 so that every encoding survives.
export interface Identity {
  /** `Name <mail>`, as the commit has it. */
  readonly who: string;
  readonly email: string;
  /** Seconds since 1970. */
  readonly time: number;
  readonly zone: string;
}

export interface Commit {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Identity;
  readonly committer: Identity;
  readonly encoding: string | undefined;
  readonly message: string;
}

/** Reads the headers that fork-sync uses; signatures and other headers do not survive a rewrite and are skipped. */
export function parseCommit(sha: string, data: Buffer): Commit {
  const text = data.toString('latin1');
  const blank = text.indexOf('\n\n');
  const headers = (blank < 0 ? text : text.slice(0, blank)).split('\n');
  const value = (name: string): string | undefined =>
    headers.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1);
  return {
    sha,
    tree: value('tree') ?? '',
    parents: headers.filter((line) => line.startsWith('parent ')).map((line) => line.slice(7)),
    author: parseIdentity(value('author') ?? ''),
    committer: parseIdentity(value('committer') ?? ''),
    encoding: value('encoding'),
    message: blank < 0 ? '' : text.slice(blank + 2),
  };
}

function parseIdentity(line: string): Identity {
  const match = /^(.*) (-?\d+) ([+-]\d+)$/.exec(line);
  const who = match?.[1] ?? line;
  const email = who.slice(who.lastIndexOf('<') + 1, who.lastIndexOf('>'));
  return { who, email, time: Number(match?.[2] ?? 0), zone: match?.[3] ?? '+0000' };
}

/** The bytes of a commit. */
export function formatCommit(commit: Omit<Commit, 'sha'>): Buffer {
  const identity = (who: Identity): string => `${who.who} ${who.time} ${who.zone}`;
  const lines = [
    `tree ${commit.tree}`,
    ...commit.parents.map((parent) => `parent ${parent}`),
    `author ${identity(commit.author)}`,
    `committer ${identity(commit.committer)}`,
    ...(commit.encoding === undefined ? [] : [`encoding ${commit.encoding}`]),
  ];
  return Buffer.from(`${lines.join('\n')}\n\n${commit.message}`, 'latin1');
}
