// An LXD and an Incus for a fake machine: they start and stop by systemctl, answer on their sockets, and run instances.
import { existsSync } from 'node:fs';
import type { HttpAnswer, HttpRequest } from '../../src/core/host.ts';
import { asyncAnswer, errorAnswer, operationAnswer, operationId, syncAnswer } from './daemon-answers.ts';
import type { FakeHost } from './fake-host.ts';

type Status = 'Running' | 'Frozen' | 'Stopped';

export interface FakeDaemon {
  readonly socket: string;
  readonly directory: string;
  readonly unit: string;
  readonly program: string;
  running: boolean;
  /** By `project/name`. */
  readonly instances: Map<string, Status>;
  /** Status of its pools by name, and of its networks by `project/name`. */
  readonly pools: Map<string, string>;
  readonly networks: Map<string, string>;
  /** Instances that it starts by itself. */
  startsByItself: string[];
  /** What it does in the background, beside what is asked of it here: that is done when it answers. */
  operations: FakeOperation[];
}

export interface FakeOperation {
  readonly id: string;
  readonly description: string;
  /** `project/name`; undefined: it is about no instance. A session ends when this one stops. */
  readonly instance?: string;
}

export interface TwoDaemons {
  readonly lxd: FakeDaemon;
  readonly incus: FakeDaemon;
  /** What `systemctl is-enabled` says of each unit. */
  readonly units: Map<string, string>;
  /** Units that are active beside the daemons' own. */
  readonly active: Set<string>;
}

/** Both are stopped; the units of LXD are enabled. */
export function twoDaemons(host: FakeHost): TwoDaemons {
  const daemon = (name: string, socket: string, program: string): FakeDaemon => ({
    socket,
    directory: `/var/lib/${name}`,
    unit: `${name}.service`,
    program,
    running: false,
    instances: new Map(),
    pools: new Map([['default', 'Created']]),
    networks: new Map(),
    startsByItself: [],
    operations: [],
  });
  const lxd = daemon('lxd', '/var/lib/lxd/unix.socket', '/usr/bin/lxd');
  const incus = daemon('incus', '/run/incus/unix.socket', '/usr/libexec/incus/incusd');
  const both = [lxd, incus];
  const units = new Map([
    ['lxd.socket', 'enabled'],
    ['lxd.service', 'enabled'],
    ['incus.socket', 'enabled'],
    ['incus-user.socket', 'enabled'],
    ['incus.service', 'indirect'],
  ]);
  const enabledBefore = new Map(units);
  const active = new Set<string>();
  const isActive = (name: string): boolean =>
    both.find(({ unit }) => unit === name)?.running ?? active.has(name);

  // A daemon leaves its table behind when it stops.
  const tables = new Set<string>();
  host.onRun(([command, verb, , family, name]) => {
    if (command !== 'nft') return undefined;
    if (verb === 'delete' && !tables.delete(`${family} ${name}`)) return { status: 1 };
    return { stdout: Buffer.from([...tables].map((table) => `table ${table}\n`).join('')) };
  });
  host.onRun(([command, verb = '', ...names]) => {
    if (command !== 'systemctl') return undefined;
    switch (verb) {
      case 'is-enabled':
        return {
          status: 1,
          stdout: Buffer.from(names.map((name) => `${units.get(name) ?? 'not-found'}\n`).join('')),
        };
      case 'mask':
        for (const name of names) {
          if (existsSync(host.path(`/etc/systemd/system/${name}`))) return { status: 1 };
          units.set(name, 'masked');
        }
        return {};
      case 'unmask':
        for (const name of names)
          if (units.get(name) === 'masked') units.set(name, enabledBefore.get(name) ?? 'disabled');
        return {};
      case 'enable':
      case 'disable':
        for (const name of names)
          if (units.get(name) !== 'masked') {
            units.set(name, `${verb}d`);
            enabledBefore.set(name, `${verb}d`);
          }
        return {};
      case 'is-active':
        return {
          status: names.every(isActive) ? 0 : 3,
          stdout: Buffer.from(names.map((name) => `${isActive(name) ? 'active' : 'inactive'}\n`).join('')),
        };
      case 'start':
        for (const name of names) if (units.get(name) === 'masked') throw new Error(`${name} is masked`);
        for (const name of names) if (both.every(({ unit }) => unit !== name)) active.add(name);
        for (const one of both) if (names.includes(one.unit)) start(one);
        return {};
      case 'stop':
        for (const name of names) active.delete(name);
        for (const one of both) if (names.includes(one.unit)) stop(one);
        return {};
      default:
        return {};
    }
  });

  function start(one: FakeDaemon): void {
    if (one.running) return;
    if (units.get(one.unit) === 'masked') throw new Error(`${one.unit} is masked`);
    if (!existsSync(host.path(`${one.directory}/database`)))
      throw new Error(`${one.directory} has no database`);
    one.running = true;
    // Requires= of both packages' units.
    active.add(one.unit.replace('.service', '.socket'));
    tables.add(`inet ${one === lxd ? 'lxd' : 'incus'}`);
    host.machine.listeners.set(one.socket, one === lxd ? 100 : 200);
    // The instances are those of the data, whoever had them before; a fresh Incus has none.
    const fresh = existsSync(host.path(`${one.directory}/database/fresh`));
    if (fresh) one.instances.clear();
    const names = fresh ? [] : [...lxd.instances.keys()];
    for (const name of names)
      one.instances.set(name, one.startsByItself.includes(name) ? 'Running' : 'Stopped');
    showMonitors();
  }

  /** As systemd does it: instances go on running. */
  function stop(one: FakeDaemon): void {
    one.running = false;
    host.machine.listeners.delete(one.socket);
  }

  function showMonitors(): void {
    host.machine.processes = both.flatMap((one, index) =>
      [...one.instances]
        .filter(([, status]) => status !== 'Stopped')
        .map(([name], position) => ({
          pid: 1000 * (index + 1) + position,
          parent: 1,
          argv: [
            `[lxc monitor] ${one.directory}/containers ${name.replace(/^default\//, '').replace('/', '_')}`,
          ],
          program: one.program,
          sameMountNamespace: true,
          samePidNamespace: true,
        })),
    );
  }

  host.onRequest((socketPath, request) => {
    const one = both.find(({ socket, running }) => socket === socketPath && running);
    return one === undefined ? undefined : answer(one, request);
  });

  function answer(one: FakeDaemon, { method, path, body }: HttpRequest): HttpAnswer {
    const [bare = '', query = ''] = path.split('?');
    // An LXD that lists the operations of one project at a time, and an Incus, of which each lists those of all.
    if (bare === '/1.0')
      return syncAnswer(one === incus ? { api_extensions: ['operations_get_query_all_projects'] } : {});
    if (bare === '/internal/ready') return syncAnswer({});
    if (method === 'PUT' && bare === '/internal/shutdown') {
      for (const name of one.instances.keys()) one.instances.set(name, 'Stopped');
      showMonitors();
      stop(one);
      return syncAnswer({});
    }
    if (bare === `/1.0/operations/${operationId}/wait`) return operationAnswer(200);
    const asked = new URLSearchParams(query);
    if (bare === '/1.0/projects')
      return syncAnswer(
        ['default', 'dev'].map((name) =>
          asked.has('recursion') ? { name, config: {} } : `/1.0/projects/${name}`,
        ),
      );
    if (bare === '/1.0/storage-pools')
      return syncAnswer([...one.pools].map(([name, status]) => ({ name, status })));
    if (bare === '/1.0/networks')
      return syncAnswer(
        [...one.networks].map(([name, status]) => ({ name: name.split('/')[1], managed: true, status })),
      );
    if (bare === '/1.0/operations')
      return syncAnswer(
        one === incus && asked.get('all-projects') === 'true'
          ? operationsOf(one)
          : operationsOf(one, asked.get('project') ?? 'default'),
      );
    if (bare === '/1.0/instances')
      return syncAnswer([...one.instances].map(([name, status]) => described(name, status)));
    const [, , , name = '', state] = bare.split('/');
    const full = `${new URLSearchParams(query).get('project')}/${decodeURIComponent(name)}`;
    const status = one.instances.get(full);
    if (!bare.startsWith('/1.0/instances/') || status === undefined) return errorAnswer(404, 'not found');
    if (state !== 'state') return syncAnswer(method === 'GET' ? described(full, status) : null);
    const after = { start: 'Running', stop: 'Stopped', freeze: 'Frozen', unfreeze: 'Running' } as const;
    const { action } = body as { action: keyof typeof after };
    if (action === 'start' && status !== 'Stopped')
      return errorAnswer(400, 'The instance is already running');
    one.instances.set(full, after[action]);
    if (action === 'stop')
      one.operations = one.operations.filter(
        ({ description, instance }) => description !== 'Executing command' || instance !== full,
      );
    showMonitors();
    return asyncAnswer();
  }

  /** @param project undefined: all of them */
  function operationsOf(one: FakeDaemon, project?: string): Record<string, unknown> {
    const running = one.operations
      // Those that are of no project are in every list.
      .filter(
        ({ instance }) =>
          instance === undefined || project === undefined || instance.startsWith(`${project}/`),
      )
      .map(({ id, description, instance }) => ({
        id,
        class: description === 'Executing command' ? 'websocket' : 'task',
        description,
        status: 'Running',
        resources: instance === undefined ? null : { instances: [instancePath(one, instance)] },
      }));
    return running.length === 0 ? {} : { running };
  }

  /** An LXD that lists by project leaves out the project, an Incus only the default one. */
  function instancePath(one: FakeDaemon, full: string): string {
    const [project, name] = full.split('/');
    const query = one === incus && project !== 'default' ? `?project=${project}` : '';
    return `/1.0/instances/${name}${query}`;
  }

  function described(full: string, status: Status): Record<string, unknown> {
    const [project, name] = full.split('/');
    return {
      project,
      name,
      status,
      type: 'container',
      location: 'none',
      description: '',
      architecture: 'x86_64',
      config: { 'boot.autostart': 'false' },
      expanded_config: {},
      devices: {},
      profiles: [],
      ephemeral: false,
      stateful: false,
    };
  }

  return { lxd, incus, units, active };
}

/** Starts one as its own package would, with these instances running or frozen. */
export function boot(
  host: FakeHost,
  daemon: FakeDaemon,
  instances: Readonly<Record<string, Status>>,
): Promise<unknown> {
  for (const name of Object.keys(instances)) daemon.instances.set(name, 'Stopped');
  return host.run(['systemctl', 'start', daemon.unit], { timeoutMs: 1000 }).then(async () => {
    for (const [name, status] of Object.entries(instances)) {
      const [project = '', bare = ''] = name.split('/');
      const change = (action: string): Promise<HttpAnswer> =>
        host.request(daemon.socket, {
          method: 'PUT',
          path: `/1.0/instances/${bare}/state?project=${project}`,
          body: { action },
          timeoutMs: 1000,
        });
      if (status !== 'Stopped') await change('start');
      if (status === 'Frozen') await change('freeze');
    }
  });
}
