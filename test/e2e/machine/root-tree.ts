// Root trees of throw-away machines: Debian with a real LXD and a real Incus, made by debootstrap and cached.
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Argv, run } from '../../../src/core/run.ts';
import { cacheFolder, cacheKey, madeOnce } from './cache.ts';
import { type DebianMirror, debianMirror } from './debian-mirror.ts';
import { machineFailure } from './problem.ts';

/** bookworm: LXD 5.0.2 and Incus 6.0.4; trixie7: LXD 5.0.2+git20231211 and Incus 7.0.2. */
export type RootTreeName = 'bookworm' | 'trixie7';

export interface RootTree {
  readonly name: RootTreeName;
  /** Changes whenever what is in the tree may change. */
  readonly key: string;
  readonly path: string;
}

interface Recipe {
  readonly suite: string;
  readonly packages: readonly string[];
  /** Taken from the suite's backports. */
  readonly backports: readonly string[];
}

const common = [
  'acl',
  'attr',
  'btrfs-progs',
  'busybox-static',
  'ca-certificates',
  'curl',
  'dnsmasq-base',
  'iproute2',
  'kmod',
  'libfaketime',
  'lxd',
  'lxd-client',
  'nftables',
  'openssl',
  'procps',
  'rsync',
  'socat',
  'squashfs-tools',
  'strace',
  'systemd',
  'tini',
  'xz-utils',
];
const incus = ['incus-base', 'incus-client', 'incus-extra'];

const recipes: Readonly<Record<RootTreeName, Recipe>> = {
  bookworm: { suite: 'bookworm', packages: common, backports: incus },
  trixie7: { suite: 'trixie', packages: common, backports: incus },
};

/** Raised when the steps below change what they make. */
const recipeVersion = 1;

const makingLimitMs = 15 * 60_000;

/** @throws {Failure<MachineProblem>} not-root, no-debian-mirror, tree-failed */
export async function rootTree(name: RootTreeName): Promise<RootTree> {
  if (process.getuid?.() !== 0) throw machineFailure({ code: 'not-root' });
  const recipe = recipes[name];
  const key = cacheKey(String(recipeVersion), JSON.stringify(recipe));
  const path = join(cacheFolder(), 'trees', `${name}-${key}`);
  return { name, key, path: await madeOnce(path, (temporary) => make(name, recipe, temporary)) };
}

async function make(name: RootTreeName, recipe: Recipe, tree: string): Promise<void> {
  const mirror = await debianMirror();
  const step = async (argv: Argv, env: Readonly<Record<string, string>> = {}): Promise<void> => {
    try {
      // Namespaces of its own: whatever a package mounts or starts ends with the command, also when it is killed.
      await run(
        ['unshare', '--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', ...argv],
        {
          timeoutMs: makingLimitMs,
          env: { DEBIAN_FRONTEND: 'noninteractive', ...env },
        },
      );
    } catch (error) {
      throw machineFailure({ code: 'tree-failed', tree: name, argv }, error);
    }
  };
  const inside = (...argv: Argv): Promise<void> =>
    step([`--mount-proc=${join(tree, 'proc')}`, 'chroot', tree, ...argv]);

  const suite = recipe.suite;
  await step(['debootstrap', '--variant=minbase', suite, tree, mirror.main], mirror.proxyEnvironment);
  configureApt(tree, suite, mirror);
  await inside('apt-get', 'update', '-q');
  const backports = recipe.backports.map((one) => `${one}/${suite}-backports`);
  await inside('apt-get', 'install', '-yq', '--no-install-recommends', ...recipe.packages, ...backports);
  await inside('apt-get', 'clean');
  for (const path of [
    'var/lib/apt/lists',
    'var/log/apt',
    'usr/share/doc',
    'usr/share/man',
    'usr/share/locale',
  ])
    rmSync(join(tree, path), { recursive: true, force: true });
  rmSync(join(tree, 'etc/dpkg/dpkg.cfg.d/lxd-to-incus-e2e'));
  writeFileSync(join(tree, 'etc/resolv.conf'), '');
}

/** Sources, the way to them, and settings that save time: nothing in the tree needs to survive a power cut. */
function configureApt(tree: string, suite: string, mirror: DebianMirror): void {
  const sources = [
    `deb ${mirror.main} ${suite} main`,
    `deb ${mirror.main} ${suite}-updates main`,
    `deb ${mirror.main} ${suite}-backports main`,
    `deb ${mirror.security} ${suite}-security main`,
  ];
  writeFileSync(join(tree, 'etc/apt/sources.list'), sources.map((line) => `${line}\n`).join(''));
  writeFileSync(
    join(tree, 'etc/apt/apt.conf.d/90lxd-to-incus-e2e'),
    `${mirror.acquireSettings}Acquire::Languages "none";\n`,
  );
  for (const path of filesNamedIn(mirror.acquireSettings)) copyIntoTree(tree, path);
  for (const path of ['/etc/resolv.conf', '/etc/hosts']) copyIntoTree(tree, path);
  const excluded = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*'];
  writeFileSync(
    join(tree, 'etc/dpkg/dpkg.cfg.d/lxd-to-incus-e2e'),
    ['force-unsafe-io', ...excluded.map((glob) => `path-exclude=${glob}`)]
      .map((line) => `${line}\n`)
      .join(''),
  );
  // No package may start a daemon while the tree is made (invoke-rc.d asks this script).
  writeFileSync(join(tree, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
}

/** Certificates that apt is told to trust are named by path. */
function filesNamedIn(settings: string): string[] {
  return [...settings.matchAll(/::(?:CaInfo|CAInfo|CaPath|SslCert) "(\/[^"]+)";/g)].flatMap(([, path]) =>
    path === undefined ? [] : [path],
  );
}

function copyIntoTree(tree: string, path: string): void {
  if (!existsSync(path)) return;
  const target = join(tree, path);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(path, target, { recursive: true, dereference: true });
}
