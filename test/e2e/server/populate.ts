// Fills an empty LXD with something of everything that a migration must carry over.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from '../machine/machine.ts';
import { type ApiOptions, api } from './api.ts';
import { httpsAddress, makeClientCertificate } from './client.ts';
import { busyboxImage } from './image.ts';
import { populatedPower, type Status, setPower } from './power.ts';
import { secret } from './secrets.ts';
import { uploadImage } from './upload-image.ts';

/** Client whose certificate the populated server trusts. */
export const trustedClient = 'cli';
/** One that is restricted to the projects `own` and `dev`. */
export const restrictedClient = 'restricted';

/** Beside the LXD directory, with a name that begins alike: nothing of it may be touched. */
export const neighbourFolder = '/var/lib/lxd-data';

/** A dir pool outside of the LXD directory. LXD 5.0.2 takes /var/lib/lxd-data for a part of /var/lib/lxd and refuses it. */
export const elsewhereFolder = '/var/lib/elsewhere';

export const quotedProfile = `it's the "wéb" profile`;
export const quotedNote = `it's LXD's / "quoted" $HOME \\ ünïcode 日本\nsecond line`;

type Config = Readonly<Record<string, string>>;
type Devices = Readonly<Record<string, Config>>;

interface InstanceWish {
  readonly pool?: string;
  readonly profiles?: readonly string[];
  readonly config?: Config;
  readonly devices?: Devices;
  readonly image?: string;
}

export async function populate(machine: Machine): Promise<void> {
  const make = (path: string, body: unknown, options?: ApiOptions): Promise<unknown> =>
    api(machine, 'lxd', 'POST', path, body, options);
  const instance = (name: string, wish: InstanceWish = {}, project = 'default'): Promise<unknown> =>
    make(
      '/1.0/instances',
      {
        name,
        profiles: wish.profiles ?? ['default'],
        config: wish.config ?? {},
        devices: {
          ...(wish.pool === undefined ? {} : { root: { type: 'disk', path: '/', pool: wish.pool } }),
          ...wish.devices,
        },
        source: { type: 'image', alias: wish.image ?? 'tiny' },
      },
      { project },
    );

  await server(machine);
  await pools(machine, make);
  await networks(make);
  await projects(machine, make);
  await images(machine, make);
  await profiles(machine, make);
  await volumes(machine, make);
  await instances(machine, instance);
  await contents(machine, make);
  await setPower(machine, 'lxd', populatedPower);
}

type Make = (path: string, body: unknown, options?: ApiOptions) => Promise<unknown>;

async function server(machine: Machine): Promise<void> {
  await api(machine, 'lxd', 'PATCH', '/1.0', {
    config: {
      'core.https_address': httpsAddress,
      'images.auto_update_interval': '0',
      'backups.compression_algorithm': 'none',
      'core.proxy_http': `http://user:${secret('server-proxy-password')}@proxy.invalid:3128`,
      'user.api-token': secret('server-user-token'),
      'user.note': quotedNote,
    },
  });
  const trusted = await makeClientCertificate(machine, trustedClient);
  const restricted = await makeClientCertificate(machine, restrictedClient);
  const metrics = await makeClientCertificate(machine, 'metrics');
  const add = (body: unknown): Promise<unknown> => api(machine, 'lxd', 'POST', '/1.0/certificates', body);
  await add({ type: 'client', name: trustedClient, certificate: trusted });
  await add({
    type: 'client',
    name: restrictedClient,
    certificate: restricted,
    restricted: true,
    projects: [],
  });
  await add({ type: 'metrics', name: 'metrics', certificate: metrics });
}

async function pools(machine: Machine, make: Make): Promise<void> {
  mkdirSync(machine.rootPath(elsewhereFolder), { recursive: true });
  await make('/1.0/storage-pools', {
    name: 'default',
    driver: 'dir',
    description: 'plain folders',
    config: { 'user.key': secret('pool-user-key') },
  });
  await make('/1.0/storage-pools', { name: 'bt', driver: 'btrfs', config: { size: '1GiB' } });
  await make('/1.0/storage-pools', {
    name: 'elsewhere',
    driver: 'dir',
    config: { source: elsewhereFolder },
  });
}

async function networks(make: Make): Promise<void> {
  await make('/1.0/networks', {
    name: 'lxdbr0',
    type: 'bridge',
    config: { 'ipv4.address': '10.77.0.1/24', 'ipv4.nat': 'true', 'ipv6.address': 'none' },
  });
  await make('/1.0/network-acls', {
    name: 'web-acl',
    description: `who may reach the "web"`,
    ingress: [{ action: 'allow', protocol: 'tcp', destination_port: '80,443', state: 'enabled' }],
    egress: [{ action: 'drop', destination: '192.0.2.0/24', state: 'logged' }],
    config: { 'user.secret': secret('acl-user-secret') },
  });
  await make('/1.0/network-zones', {
    name: 'e2e.example.net',
    config: { 'user.secret': secret('zone-user-secret'), 'dns.nameservers': 'ns1.example.net' },
  });
  await make('/1.0/network-zones/e2e.example.net/records', {
    name: 'www',
    entries: [{ type: 'A', value: '192.0.2.7', ttl: 300 }],
  });
  await make('/1.0/networks', {
    name: 'net2',
    type: 'bridge',
    description: 'with everything',
    config: {
      'ipv4.address': '10.88.0.1/24',
      'ipv4.nat': 'true',
      'ipv6.address': 'fd42:e2e::1/64',
      'dns.domain': 'e2e.example.net',
      'dns.zone.forward': 'e2e.example.net',
      'security.acls': 'web-acl',
      'bgp.peers.up.address': '192.0.2.1',
      'bgp.peers.up.asn': '65001',
      'bgp.peers.up.password': secret('network-bgp-password'),
      'raw.dnsmasq': `# ${secret('network-raw-dnsmasq')}`,
      'user.password': secret('network-user-password'),
    },
  });
  await make('/1.0/networks/net2/forwards', {
    listen_address: '198.51.100.50',
    config: { target_address: '10.88.0.22', 'user.secret': secret('forward-user-secret') },
    ports: [
      { protocol: 'tcp', listen_port: '8080,8443', target_address: '10.88.0.23', target_port: '80,443' },
    ],
  });
  await make('/1.0/networks/net2/forwards', { listen_address: '198.51.100.51' });
}

async function projects(machine: Machine, make: Make): Promise<void> {
  await make('/1.0/projects', {
    name: 'dev',
    description: 'images and profiles of the default project',
    config: {
      'features.images': 'false',
      'features.profiles': 'false',
      'user.token': secret('project-user-token'),
    },
  });
  await make('/1.0/projects', {
    name: 'own',
    description: 'everything of its own',
    config: {
      'features.images': 'true',
      'features.profiles': 'true',
      'features.networks': 'true',
      'features.storage.volumes': 'true',
      'limits.containers': '10',
      'user.note': quotedNote,
    },
  });
  await make(
    '/1.0/network-acls',
    { name: 'own-acl', ingress: [{ action: 'reject', state: 'enabled' }] },
    { project: 'own' },
  );
  const certificates = (await api(machine, 'lxd', 'GET', '/1.0/certificates?recursion=1')) as readonly {
    name: string;
    fingerprint: string;
    certificate: string;
    type: string;
  }[];
  const restricted = certificates.find(({ name }) => name === restrictedClient);
  if (restricted !== undefined)
    await api(machine, 'lxd', 'PATCH', `/1.0/certificates/${restricted.fingerprint}`, {
      projects: ['own', 'dev'],
    });
}

async function images(machine: Machine, make: Make): Promise<void> {
  const upload = async (description: string, isPublic: boolean, project: string): Promise<string> => {
    const content = await busyboxImage(machine, description);
    return uploadImage(machine, content, {
      project,
      headers: {
        'X-LXD-public': isPublic ? '1' : '0',
        'X-LXD-filename': 'tiny.tar.gz',
        'X-LXD-properties': new URLSearchParams({
          release: '1',
          'api-token': secret('image-property-token'),
          note: `a "quoted" ünïcode note`,
        }).toString(),
      },
    });
  };
  const tiny = await upload('tiny', false, 'default');
  for (const alias of ['tiny', 'busybox/1/amd64', `it's "tïny"`])
    await make('/1.0/images/aliases', { name: alias, target: tiny, description: `alias ${alias}` });
  await make('/1.0/images/aliases', { name: 'public', target: await upload('public', true, 'default') });
  const own = await upload('own', false, 'own');
  await make('/1.0/images/aliases', { name: 'tiny', target: own }, { project: 'own' });
}

async function profiles(machine: Machine, make: Make): Promise<void> {
  const nic = (network: string): Config => ({ type: 'nic', name: 'eth0', network });
  const root: Config = { type: 'disk', path: '/', pool: 'default' };
  await api(machine, 'lxd', 'PUT', '/1.0/profiles/default', {
    description: 'Default LXD profile',
    devices: { root, eth0: nic('lxdbr0') },
  });
  await make('/1.0/profiles', {
    name: quotedProfile,
    description: quotedNote,
    config: {
      'limits.memory': '256MiB',
      'user.note': quotedNote,
      [`user.it's "quoted" ünïcode`]: 'a key with quotes',
      'user.ssh-key': secret('profile-ssh-key'),
      'environment.PGPASSWORD': secret('profile-environment'),
      'user.user-data': `#cloud-config\npassword: ${secret('profile-user-data')}\n`,
      'cloud-init.user-data': `#cloud-config\npassword: ${secret('profile-cloud-init-user-data')}\n`,
    },
    devices: {
      inside: {
        type: 'disk',
        source: '/var/lib/lxd/storage-pools/default/custom',
        path: '/mnt/custom',
        readonly: 'true',
      },
    },
  });
  await make('/1.0/profiles', {
    name: 'raw',
    description: 'used by nobody',
    config: {
      'raw.apparmor': `# ${secret('profile-raw-apparmor')}\nfile,`,
      'raw.qemu': `-name ${secret('profile-raw-qemu')} -chardev file,id=x,path=/var/lib/lxd/x`,
      'raw.seccomp': `# ${secret('profile-raw-seccomp')}`,
    },
  });
  await api(
    machine,
    'lxd',
    'PUT',
    '/1.0/profiles/default',
    { description: 'of its own', devices: { root: { ...root, pool: 'bt' } } },
    { project: 'own' },
  );
  await make('/1.0/profiles', { name: 'own-profile', config: { 'limits.cpu': '1' } }, { project: 'own' });
}

async function volumes(machine: Machine, make: Make): Promise<void> {
  const custom = (pool: string): string => `/1.0/storage-pools/${pool}/volumes/custom`;
  await make(custom('default'), {
    name: 'data1',
    description: quotedNote,
    config: { 'user.secret': secret('volume-user-secret') },
  });
  await make(`${custom('default')}/data1/snapshots`, { name: 'first' });
  await api(machine, 'lxd', 'PUT', `${custom('default')}/data1/snapshots/first`, {
    description: 'the first one',
    expires_at: '2099-01-01T00:00:00Z',
  });
  await make(custom('default'), { name: 'block1', content_type: 'block', config: { size: '16MiB' } });
  await make(custom('bt'), {
    name: 'vol2',
    config: { 'snapshots.expiry': '4w', 'security.shifted': 'true' },
  });
  await make(custom('elsewhere'), { name: 'elsewherevol' });
  await make(custom('default'), { name: 'ownvol' }, { project: 'own' });
}

async function instances(
  machine: Machine,
  instance: (name: string, wish?: InstanceWish, project?: string) => Promise<unknown>,
): Promise<void> {
  const share = join(neighbourFolder, 'share');
  mkdirSync(machine.rootPath(share), { recursive: true });
  writeFileSync(machine.rootPath(join(share, 'neighbour.txt')), 'must stay as it is\n');
  const custom = (pool: string, source: string, path: string): Config => ({
    type: 'disk',
    pool,
    source,
    path,
  });
  await instance('c1', {
    profiles: ['default', quotedProfile],
    config: {
      'boot.autostart': 'true',
      'user.note': quotedNote,
      'user.user-data': `#cloud-config\nchpasswd: ${secret('instance-user-data')}\n`,
      'user.vendor-data': `#cloud-config\n# ${secret('instance-vendor-data')}\n`,
      'user.api-key': secret('instance-user-key'),
      'environment.DB_PASSWORD': secret('instance-environment-password'),
      'environment.API_TOKEN': secret('instance-environment-token'),
      'environment.PLAIN': secret('instance-environment-plain'),
    },
    devices: {
      // Sources inside the LXD directory, which goes away.
      home: { type: 'disk', source: '/var/lib/lxd/containers', path: '/mnt/x', readonly: 'true' },
      lxdsocket: {
        type: 'proxy',
        listen: 'unix:/run/lxd.socket',
        connect: 'unix:/var/lib/lxd/unix.socket',
        bind: 'instance',
        mode: '0600',
      },
      neighbour: { type: 'disk', source: share, path: '/mnt/neighbour', readonly: 'true' },
      data: custom('default', 'data1', '/data'),
    },
  });
  await instance('c2', {
    pool: 'bt',
    config: {
      'cloud-init.user-data': `#cloud-config\nssh_import: ${secret('instance-cloud-init-user-data')}\n`,
      'cloud-init.vendor-data': `#cloud-config\n# ${secret('instance-cloud-init-vendor-data')}\n`,
      'cloud-init.network-config': `# ${secret('instance-cloud-init-network-config')}\nversion: 2\n`,
    },
    devices: { vol2: custom('bt', 'vol2', '/data') },
  });
  await instance('b1', {
    pool: 'bt',
    config: { 'security.nesting': 'true', 'boot.autostart': 'true', 'boot.autostart.priority': '5' },
    devices: {
      eth0: { type: 'nic', name: 'eth0', network: 'lxdbr0', 'ipv4.address': '10.77.0.21' },
      null1: { type: 'unix-char', source: '/dev/null', path: '/dev/null1' },
    },
  });
  await instance('odd');
  await instance('autostart-stopped', { config: { 'boot.autostart': 'true' } });
  await instance('manual-running', { config: { 'boot.autostart': 'false' } });
  await instance('frozen', { pool: 'elsewhere' });
  await instance('privileged', { config: { 'security.privileged': 'true' } });
  await instance('isolated', { config: { 'security.idmap.isolated': 'true' } });
  await instance('rawmap', { config: { 'raw.idmap': 'both 1000 1000' } });
  await instance('n2', {
    devices: { eth0: { type: 'nic', name: 'eth0', network: 'net2', 'ipv4.address': '10.88.0.22' } },
    config: { 'raw.lxc': `lxc.environment = TOKEN=${secret('instance-raw-lxc')}` },
  });
  await instance('c3', {}, 'dev');
  await instance('d1', { config: { 'user.note': quotedNote } }, 'dev');
  await instance('o1', { profiles: ['default', 'own-profile'] }, 'own');
  await instance('o2', { pool: 'default', devices: { own: custom('default', 'ownvol', '/own') } }, 'own');
}

async function contents(machine: Machine, make: Make): Promise<void> {
  const containers = (pool: string): string => `/var/lib/lxd/storage-pools/${pool}/containers`;
  // The first start shifts the owners on disk; c2, which never ran, keeps those of the image.
  const power = (status: Status): Promise<void> =>
    setPower(machine, 'lxd', [{ project: 'default', instance: 'odd', status }]);
  await power('Running');
  await power('Stopped');
  const script = '/root/odd-files.sh';
  machine.copyIn(join(import.meta.dirname, 'odd-files.sh'), script, 0o755);
  for (const rootfs of [
    `${containers('default')}/odd/rootfs`,
    `${containers('bt')}/c2/rootfs`,
    `${containers('default')}/privileged/rootfs`,
  ])
    await machine.exec(['bash', script, rootfs]);

  const nested = `${containers('bt')}/b1/rootfs/nested`;
  for (const subvolume of [nested, `${nested}/inner`]) {
    await machine.exec(['btrfs', 'subvolume', 'create', subvolume]);
    await machine.exec(['chown', '--reference', `${containers('bt')}/b1/rootfs`, subvolume]);
    await machine.exec(['sh', '-c', 'echo "in a subvolume" > "$1/file"', 'sh', subvolume]);
  }
  await machine.exec([
    'sh',
    '-c',
    'echo kept > "$1/file"',
    'sh',
    '/var/lib/lxd/storage-pools/bt/custom/default_vol2',
  ]);

  const snapshot = (instance: string, name: string, project = 'default'): Promise<unknown> =>
    make(`/1.0/instances/${instance}/snapshots`, { name, expires_at: '2099-01-01T00:00:00Z' }, { project });
  await snapshot('c1', 'snap0');
  await api(machine, 'lxd', 'PATCH', '/1.0/instances/c2', {
    config: { 'user.secret': secret('snapshot-user') },
  });
  await snapshot('c2', 'snapA');
  await api(machine, 'lxd', 'PATCH', '/1.0/instances/c2', { config: { 'user.secret': '' } });
  await snapshot('c2', 'snapB');
  await snapshot('b1', 'with-subvolumes');
  await snapshot('odd', 'before');
  await snapshot('o2', 'own-snapshot', 'own');
  await make('/1.0/storage-pools/bt/volumes/custom/vol2/snapshots', { name: 's0' });
  await make('/1.0/instances/c3/backups', { name: 'kept', instance_only: true }, { project: 'dev' });
  await make('/1.0/storage-pools/bt/volumes/custom/vol2/backups', { name: 'kept', volume_only: true });
}
