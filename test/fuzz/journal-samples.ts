// A step of every kind with what it remembers, and a note of every name: whatever a journal may hold.
import type { NoteName, NoteValue } from '../../src/migrate/journal/notes.ts';
import type { DaemonRef, Step, StepKind } from '../../src/migrate/model/step.ts';

const daemon = (role: 'source' | 'target'): DaemonRef => {
  const name = role === 'source' ? 'lxd' : 'incus';
  return {
    role,
    dataDirectory: `/var/lib/${name}`,
    sockets: [role === 'source' ? '/var/lib/lxd/unix.socket' : '/run/incus/unix.socket'],
    service: { kind: 'systemd', units: [`${name}.socket`, `${name}.service`], start: [`${name}.service`] },
    program: `/usr/bin/${name}`,
  };
};
const [source, target] = [daemon('source'), daemon('target')];
const run = '/state/runs/RUN';
const states = ['lxd.socket', 'lxd.service'].map((unit) => ({ unit, enabled: 'enabled' }));
const move = { from: '/var/lib/lxd', to: '/var/lib/incus' };
const leftovers = { bridges: ['lxdbr0'], interfaces: ['veth1'], firewallTable: 'lxd' };

/** The compiler sees to it that none is missing. */
const samples: { readonly [K in StepKind]: readonly [Extract<Step, { kind: K }>, unknown?] } = {
  'record-source': [{ kind: 'record-source', daemon: source }],
  'record-power': [{ kind: 'record-power', daemon: source }],
  'stop-daemon': [
    { kind: 'stop-daemon', daemon: source },
    { ran: true, active: ['lxd.socket'] },
  ],
  'clear-leftovers': [
    {
      kind: 'clear-leftovers',
      role: 'source',
      dataDirectory: '/var/lib/lxd',
      program: '/usr/bin/lxd',
      ...leftovers,
    },
  ],
  'set-aside-target': [
    { kind: 'set-aside-target', path: '/var/lib/incus', into: `${run}/target-directory` },
    { existed: false },
  ],
  'stop-instances': [{ kind: 'stop-instances', daemon: source }],
  'mask-source': [
    { kind: 'mask-source', units: ['lxd.service'] },
    { states, links: [], masked: ['lxd.service'] },
  ],
  'mask-target': [{ kind: 'mask-target', units: ['incus.service'] }, { states }],
  'unmask-target': [{ kind: 'unmask-target', units: ['incus.service'] }],
  'disable-source': [
    { kind: 'disable-source', units: ['lxd.service'] },
    {
      states,
      links: [{ path: '/etc/systemd/system/sockets.target.wants/lxd.socket', target: '/lib/lxd.socket' }],
    },
  ],
  'prove-quiet': [
    { kind: 'prove-quiet', owners: [{ dataDirectory: '/var/lib/lxd', program: '/usr/bin/lxd' }] },
  ],
  'convert-again': [
    { kind: 'convert-again', sourceDirectory: '/var/lib/lxd', into: `${run}/converted-database` },
  ],
  'record-directory': [
    { kind: 'record-directory', directory: '/var/lib/lxd', into: `${run}/source-directory.json` },
  ],
  'move-directory': [{ kind: 'move-directory', ...move }],
  'move-mount': [{ kind: 'move-mount', ...move, boot: 'fstab' }, { begun: true }],
  'empty-target-mount': [
    { kind: 'empty-target-mount', path: '/var/lib/incus', into: `${run}/target-directory` },
  ],
  'copy-ahead': [{ kind: 'copy-ahead', ...move, intoMount: false, bytes: 1 }, { begun: true }],
  'copy-directory': [{ kind: 'copy-directory', ...move, intoMount: false }, { phase: 'copied' }],
  'set-aside-database': [
    { kind: 'set-aside-database', path: '/var/lib/incus/database', into: `${run}/source-database` },
  ],
  'install-database': [
    {
      kind: 'install-database',
      from: `${run}/converted-database`,
      path: '/var/lib/incus/database',
      keep: `${run}/target-database`,
    },
  ],
  'rename-snapshots-folder': [
    {
      kind: 'rename-snapshots-folder',
      from: '/var/lib/incus/snapshots',
      to: '/var/lib/incus/containers-snapshots',
    },
    { hadFolder: false, hadOther: false },
  ],
  'repoint-links': [{ kind: 'repoint-links', directory: '/var/lib/incus', ...move }],
  'add-id-range': [
    { kind: 'add-id-range', file: '/etc/subuid', line: 'root:1000000:1000000000' },
    { wasThere: false, endedOpen: false },
  ],
  'empty-runtime-folder': [{ kind: 'empty-runtime-folder', path: '/run/incus' }],
  'start-daemon': [{ kind: 'start-daemon', daemon: target, bridges: ['lxdbr0'] }, { tried: true }],
  'restore-power': [{ kind: 'restore-power', daemon: target }],
  'release-autostart': [{ kind: 'release-autostart', daemon: target }],
  'leave-note': [
    { kind: 'leave-note', directory: '/var/lib/lxd', movedTo: '/var/lib/incus', kept: false },
    { madeFolder: false, others: ['database'] },
  ],
  'refresh-backup-files': [{ kind: 'refresh-backup-files', daemon: target }],
  'write-dump': [{ kind: 'write-dump', folder: '/var/lib/incus/database/global' }],
};

export const everyStep: readonly (readonly [Step, unknown?])[] = Object.values(samples);

export const everyNote: { readonly [N in NoteName]: NoteValue<N> } = {
  power: { running: ['default/c1'], frozen: ['default/c2'], ephemeral: [], daemonRan: true },
  pins: [['lxdbr0/ipv4.address', '10.0.0.1/24']],
  rehearsal: {
    ran: true,
    reason: undefined,
    version: '6.0.4',
    compared: { instances: 2 },
    findings: [{ id: 'no-lxcfs', severity: 'note', objects: [], what: '', action: '' }],
    notProven: [{ kind: 'network', what: 'a bridge', objects: ['lxdbr0'], because: '', checkedBy: '' }],
    milliseconds: 5,
  },
  condition: {
    asked: true,
    pools: [{ name: 'default', status: 'Created' }],
    networks: [{ project: 'default', name: 'lxdbr0', status: null }],
    instances: [{ project: 'default', name: 'c1', status: 'Error' }],
    addresses: [{ key: 'core.https_address', value: ':8443', holder: 'daemon', who: '' }],
    images: [{ fingerprint: 'abc', problem: 'it is not there' }],
  },
  'source-listened': true,
  'idmaps-of-target': { 'default/c1': '[]' },
  held: [{ project: 'default', name: 'c1', autostart: 'true' }],
  'power-outcomes': [{ instance: 'default/c1', wanted: 'Running' }],
  'backup-files-not-refreshed': [{ project: 'default', name: 'c2', error: 'no' }],
  'accepted-as-gone': ['default/c2'],
  'left-open': [],
  purge: { folders: [{ path: '/var/lib/lxd', bytes: 1, why: 'the data directory' }], packages: ['lxd'] },
  answers: { accept: ['x'], fix: false, differences: [] },
  'instances-gone-at': '2026-11-29T06:23:19.384Z',
  'api-answered-at': '2026-11-29T06:23:19.384Z',
};
