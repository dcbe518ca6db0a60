// detect: finds the source and the target on the host, or takes the ones that the user named.
import { existsSync, readdirSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import type { Host } from '../../core/host.ts';
import { migrateFailure } from '../problem.ts';
import { debTarget, givenTarget, manualTarget, type TargetKind } from './incus.ts';
import type { Installation } from './installation.ts';
import { debSource, givenSource, manualSource, type SourceKind } from './lxd.ts';
import type { Services } from './services-file.ts';

export type { Installation, Service } from './installation.ts';

export interface DetectOptions {
  readonly lxdDir?: string | undefined;
  readonly incusDir?: string | undefined;
  readonly source?: string | undefined;
  readonly target?: string | undefined;
  readonly incusd?: string | undefined;
  readonly services?: Services | undefined;
}

export interface Detected {
  readonly source: Installation;
  /** undefined: no Incus here; a finding says how to install one. */
  readonly target: Installation | undefined;
}

const sourceKinds: readonly SourceKind[] = [debSource, manualSource];
const targetKinds: readonly TargetKind[] = [debTarget, manualTarget];

/** @throws {Failure<MigrateProblem>} no-source, installation-unknown, several-installations */
export async function detect(host: Host, options: DetectOptions): Promise<Detected> {
  const source = await findSource(host, options);
  const target = await findTarget(host, options);
  const { services } = options;
  if (services === undefined) return { source, target };
  return {
    source: services.source.kind === 'none' ? source : { ...source, service: services.source },
    target:
      target === undefined || services.target.kind === 'none'
        ? target
        : { ...target, service: services.target },
  };
}

async function findSource(host: Host, options: DetectOptions): Promise<Installation> {
  if (options.lxdDir !== undefined) return givenSource(host, absolute(options.lxdDir));
  const found = await collect(sourceKinds, (kind) => kind.find(host));
  const chosen = choose('source', found, options.source);
  if (chosen !== undefined) return chosen;
  const lxc = host.path('/var/lib/lxc');
  const plainLxc = existsSync(lxc) && readdirSync(lxc).length > 0;
  throw migrateFailure({ code: 'no-source', looked: sourceKinds.map(({ looksFor }) => looksFor), plainLxc });
}

async function findTarget(host: Host, options: DetectOptions): Promise<Installation | undefined> {
  if (options.incusDir !== undefined) return givenTarget(host, absolute(options.incusDir), options.incusd);
  return choose(
    'target',
    await collect(targetKinds, (kind) => kind.find(host, options.incusd)),
    options.target,
  );
}

async function collect<K>(
  kinds: readonly K[],
  find: (kind: K) => Promise<Installation | undefined>,
): Promise<Installation[]> {
  const found: Installation[] = [];
  for (const kind of kinds) {
    const installation = await find(kind);
    if (installation !== undefined) found.push(installation);
  }
  return found;
}

/** Several kinds may describe one installation: the first that found a data directory speaks for it. */
function choose(
  role: 'source' | 'target',
  found: readonly Installation[],
  wanted: string | undefined,
): Installation | undefined {
  if (wanted !== undefined) {
    const named = found.find(({ name }) => name === wanted);
    if (named === undefined)
      throw migrateFailure({
        code: 'installation-unknown',
        role,
        name: wanted,
        names: found.map(({ name }) => name),
      });
    return named;
  }
  const distinct = found.filter(
    (one, index) => found.findIndex(({ dataDirectory }) => dataDirectory === one.dataDirectory) === index,
  );
  if (distinct.length > 1)
    throw migrateFailure({ code: 'several-installations', role, names: distinct.map(({ name }) => name) });
  return distinct[0];
}

function absolute(path: string): string {
  const full = isAbsolute(path) ? path : resolve(path);
  return full.length > 1 ? full.replace(/\/+$/, '') : full;
}
