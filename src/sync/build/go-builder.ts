// Builds Go packages of one commit after another with the Go of this machine: offline, and in a folder of its own.
import { mkdirSync, writeFileSync } from 'node:fs';
import { devNull } from 'node:os';
import { isAbsolute, join, relative } from 'node:path';
import { z } from 'zod';
import { makeFolders } from '../../core/durable.ts';
import { Failure } from '../../core/failure.ts';
import { type RunResult, run } from '../../core/run.ts';
import { foreignInclude } from './foreign-includes.ts';
import { buildEnvironment, openBuildTree } from './open-build-tree.ts';

export interface GoBuild {
  /** Folders of packages that were asked for, or that import one of those. */
  readonly packages: readonly string[];
  /** Those that do not build, with the first lines of why; others that those need are among them. */
  readonly failed: ReadonlyMap<string, string>;
  /** Those of which nothing is known, with why: a module that is not on this machine, a package that does not build. */
  readonly unknown: ReadonlyMap<string, string>;
}

export interface GoBuilder {
  build(commit: string, folders: readonly string[]): Promise<GoBuild>;
  close(): void;
}

export interface GoBuilderOptions {
  readonly gitDir: string;
  /** For each run of Go. */
  readonly timeoutMs: number;
  /** For all runs of a builder together. */
  readonly wholeMs?: number;
  /** Names of variables that Go may see; besides PATH and LANG it sees nothing of this process. */
  readonly environment: readonly string[];
}

/** Nothing is fetched and no file of the module is changed. */
const offline = {
  GOFLAGS: '-mod=readonly -buildvcs=false',
  GOPROXY: 'off',
  GOSUMDB: 'off',
  GOTOOLCHAIN: 'local',
  GOWORK: 'off',
  GOENV: 'off',
} as const;

const places = z.object({ GOMODCACHE: z.string(), GOCACHE: z.string() });
const problem = z.object({ Err: z.string() });
const listed = z.object({
  Dir: z.string().default(''),
  ImportPath: z.string(),
  Imports: z.array(z.string()).default([]),
  Deps: z.array(z.string()).default([]),
  SFiles: z.array(z.string()).default([]),
  Incomplete: z.boolean().default(false),
  Error: problem.optional(),
  DepsErrors: z.array(problem).nullable().default([]),
});
type Listed = z.infer<typeof listed>;

const largestOutput = 64 * 1024 * 1024;
const linesShown = 6;

/** Undefined where Go is not installed. */
export async function openGoBuilder(options: GoBuilderOptions): Promise<GoBuilder | undefined> {
  const caches = await findCaches(options.timeoutMs);
  if (caches === undefined) return undefined;
  const tree = await openBuildTree(options.gitDir, { links: false });
  // What Go has under way lies in there too: one that is killed leaves it behind.
  const GOTMPDIR = join(tree.folder, 'tmp');
  mkdirSync(GOTMPDIR);
  // Otherwise Go starts a process of its own that counts, and writes to its home after the build has ended (go.dev/doc/telemetry).
  const telemetry = join(tree.folder, '.config', 'go', 'telemetry');
  makeFolders(telemetry, 0o700);
  writeFileSync(join(telemetry, 'mode'), 'off\n');
  // A C compiler shows lines of whatever file a commit has it include, and what a build says may be published.
  const cgo = options.environment.includes('CGO_ENABLED') ? {} : { CGO_ENABLED: '0' };
  const env = {
    ...buildEnvironment(tree.folder, options.environment),
    ...offline,
    ...cgo,
    ...caches,
    GOTMPDIR,
  };
  const end = performance.now() + (options.wholeMs ?? Number.POSITIVE_INFINITY);
  const go = (...args: string[]): Promise<RunResult> =>
    run(['go', ...args], {
      cwd: tree.files,
      timeoutMs: Math.max(1, Math.min(options.timeoutMs, Math.round(end - performance.now()))),
      env,
      accept: 'any',
      maxOutputBytes: largestOutput,
    });

  /** Or why there is no list: a go.mod that nobody can read, or that asks for a newer Go. */
  const list = async (): Promise<readonly Listed[] | string> => {
    const fields = '-json=Dir,ImportPath,Imports,Deps,SFiles,Incomplete,Error,DepsErrors';
    const { status, stdout, stderr } = await go('list', '-e', fields, './...');
    const all = parseObjects(stdout.toString('utf8')).map((one) => listed.parse(one));
    const here = all.filter(({ Dir }) => Dir !== '');
    if (here.length > 0) return here;
    // Without a module Go names what it was asked for as if that were a package.
    return all[0]?.Error?.Err ?? (status === 0 ? [] : stderr.toString('utf8'));
  };

  return {
    async build(commit, folders) {
      await tree.checkout(commit);
      const packages = await list();
      if (typeof packages === 'string') return allAlike(folders, packages);
      const all = packages.map((one) => ({ ...one, folder: relative(tree.files, one.Dir) }));
      // A folder that the commit left without Go has importers still.
      const touched = new Set(folders.map((folder) => importPathOf(all, folder)));
      const chosen = all.filter(
        (one) => touched.has(one.ImportPath) || one.Imports.some((path) => touched.has(path)),
      );
      const failed = new Map<string, string>();
      const unknown = new Map<string, string>();
      for (const one of chosen) {
        const why = one.Error?.Err ?? one.DepsErrors?.[0]?.Err;
        if (!one.Incomplete && why === undefined) continue;
        const isHere = why !== undefined && (!isMissingModule(why) || isOwn(all, why));
        (isHere ? failed : unknown).set(one.folder, firstLines(why ?? 'it does not load'));
      }
      const readsElsewhere = new Map(
        all.flatMap(({ ImportPath, Dir, SFiles }) => {
          const file = foreignInclude(Dir, SFiles);
          return file === undefined ? [] : [[ImportPath, file] as const];
        }),
      );
      for (const { ImportPath, Deps, folder } of chosen) {
        const path = [ImportPath, ...Deps].find((one) => readsElsewhere.has(one));
        if (path !== undefined && !failed.has(folder))
          unknown.set(
            folder,
            `not built: ${readsElsewhere.get(path)} of ${path} includes a file of another folder`,
          );
      }
      const ready = chosen.filter(({ folder }) => !failed.has(folder) && !unknown.has(folder));
      if (ready.length > 0) {
        // With a folder for programs Go would compile those alone, and no package that none of them imports.
        const made = await go('build', '-o', devNull, ...ready.map(({ ImportPath }) => ImportPath));
        if (made.status !== 0) readFailures(made.stderr.toString('utf8'), all, ready, { failed, unknown });
      }
      return { packages: chosen.map(({ folder }) => folder), failed, unknown };
    },
    close: tree.close,
  };
}

/** Where the Go of this user keeps modules and what it built; undefined where there is no Go. */
async function findCaches(timeoutMs: number): Promise<Readonly<Record<string, string>> | undefined> {
  try {
    const { stdout } = await run(['go', 'env', '-json', 'GOMODCACHE', 'GOCACHE'], {
      timeoutMs,
      env: { GOTOOLCHAIN: 'local' },
    });
    const found = places.parse(JSON.parse(stdout.toString('utf8')));
    // Without a home Go has no place for them, and gets one with the home of the build.
    return Object.fromEntries(Object.entries(found).filter(([, path]) => isAbsolute(path)));
  } catch (error) {
    if (error instanceof Failure && error.problem.code === 'command-missing') return undefined;
    throw error;
  }
}

/** Go prints one object after another, each from `{` to `}` at the beginning of a line. */
function parseObjects(text: string): readonly unknown[] {
  return text
    .split(/^(?=\{)/m)
    .filter((part) => part.trim() !== '')
    .map((part): unknown => JSON.parse(part));
}

/** Where Go does not even list the packages, each of them is as all of them are. */
function allAlike(folders: readonly string[], why: string): GoBuild {
  const each = new Map(folders.map((folder) => [folder, firstLines(why)]));
  const [failed, unknown] = isMissingModule(why) ? [new Map(), each] : [each, new Map()];
  return { packages: folders, failed, unknown };
}

/** As cmd/go says it of what is neither in the module cache nor to be fetched. */
function isMissingModule(why: string): boolean {
  return /GOPROXY=off|build constraints exclude all Go files|missing go\.sum entry|no required module provides|cannot find module|does not contain main module|updates to go\.mod needed|requires go >=|inconsistent vendoring/.test(
    why,
  );
}

interface Placed {
  readonly ImportPath: string;
  readonly Deps: readonly string[];
  readonly folder: string;
}

function moduleOf([first]: readonly Placed[]): string {
  const { ImportPath = '', folder = '' } = first ?? {};
  return folder === '' ? ImportPath : ImportPath.slice(0, -folder.length - 1);
}

/** The import path of a folder of the module, whether or not there is Go in it. */
function importPathOf(all: readonly Placed[], folder: string): string {
  const module = moduleOf(all);
  return folder === '' ? module : `${module}/${folder}`;
}

/** Whether the package that is missing would be one of the module itself. */
function isOwn(all: readonly Placed[], why: string): boolean {
  const missing = / package ([^\s:;]+)/.exec(why)?.[1];
  return missing?.startsWith(`${moduleOf(all)}/`) === true;
}

function readFailures(
  output: string,
  all: readonly Placed[],
  ready: readonly Placed[],
  out: { readonly failed: Map<string, string>; readonly unknown: Map<string, string> },
): void {
  const folderOf = new Map(all.map(({ ImportPath, folder }) => [ImportPath, folder]));
  const broken: string[] = [];
  for (const part of output.split(/^# /m).slice(1)) {
    const [head = '', ...lines] = part.split('\n');
    const path = head.split(' ')[0] ?? '';
    const folder = folderOf.get(path);
    broken.push(path);
    if (folder !== undefined) out.failed.set(folder, firstLines(lines.join('\n')));
  }
  if (broken.length === 0) for (const { folder } of ready) out.unknown.set(folder, firstLines(output));
  // Go does not even begin with what needs a package that does not build.
  for (const { folder, Deps } of ready) {
    const needed = broken.find((path) => Deps.includes(path));
    if (needed !== undefined && !out.failed.has(folder))
      out.unknown.set(folder, `it needs ${needed}, which does not build`);
  }
}

function firstLines(text: string): string {
  return text.trim().split('\n').slice(0, linesShown).join('\n');
}
