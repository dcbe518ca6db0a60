// What a device needs of the machine before its instance can start.
import * as fs from 'node:fs';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { missingForDevice } from '../../../src/migrate/machine/missing-for-device.ts';
import { type FakeHost, fakeHost } from '../../fakes/fake-host.ts';

let host: FakeHost;
beforeEach(() => {
  const made = fakeHost();
  onTestFinished(() => made.dispose());
  host = made;
  for (const folder of ['/srv/there', '/sys/class/net/eth0', '/sys/bus/pci/devices/0000:01:00.0'])
    fs.mkdirSync(host.path(folder), { recursive: true });
  host.writeFile('/dev/there', '');
  host.writeFile('/sys/bus/usb/devices/1-1/idVendor', '046d\n');
  host.writeFile('/sys/bus/usb/devices/1-1/idProduct', 'c52b\n');
  host.writeFile('/sys/bus/pci/devices/0000:01:00.0/vendor', '0x10de\n');
  host.writeFile('/sys/bus/pci/devices/0000:01:00.0/device', '0x1b80\n');
});

const networks = [
  { name: 'lxdbr0', type: 'bridge', managed: true, config: {} },
  { name: 'vlans', type: 'macvlan', managed: true, config: { parent: 'gone0' } },
  { name: 'lan', type: 'sriov', managed: true, config: { parent: 'eth0' } },
  { name: 'br-hand', type: 'bridge', managed: false, config: {} },
];

function missing(text: string, runs = true): string | undefined {
  const config = Object.fromEntries(
    text.split(' ').map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  );
  return missingForDevice({ host, networks, runs }, config);
}

describe('gone is', () => {
  test.each([
    ['type=disk source=/srv/gone path=/x', '/srv/gone does not exist'],
    ['type=disk source=/srv/gone path=/x required=true', '/srv/gone does not exist'],
    ['type=disk source=/srv/gone path=/x optional=false', '/srv/gone does not exist'],
    ['type=disk source=/dev/there/below path=/x', '/dev/there/below does not exist'],
    ['type=nic nictype=macvlan parent=gone0', 'network interface gone0 does not exist'],
    ['type=nic nictype=sriov parent=gone0', 'network interface gone0 does not exist'],
    ['type=nic nictype=ipvlan parent=gone0', 'network interface gone0 does not exist'],
    ['type=nic nictype=routed parent=gone0', 'network interface gone0 does not exist'],
    ['type=nic nictype=bridged parent=br-hand', 'network interface br-hand does not exist'],
    ['type=nic nictype=macvlan parent=../eth0', 'network interface ../eth0 does not exist'],
    ['type=nic nictype=physical parent=gone0 vlan=7', 'network interface gone0 does not exist'],
    ['type=nic network=vlans', 'network interface gone0 does not exist'],
    ['type=infiniband nictype=sriov parent=gone0', 'network interface gone0 does not exist'],
    ['type=unix-char path=/dev/gone', '/dev/gone does not exist'],
    ['type=unix-block source=/dev/gone path=/dev/there', '/dev/gone does not exist'],
    ['type=unix-char path=/dev/gone major=1', '/dev/gone does not exist'],
    ['type=usb vendorid=046d productid=ffff required=true', 'there is no USB device 046d:ffff'],
    ['type=unix-hotplug vendorid=ffff required=true', 'there is no device ffff:*'],
    ['type=gpu pci=02:00.0', 'PCI device 02:00.0 does not exist'],
    ['type=gpu vendorid=1002', 'there is no GPU 1002:*'],
    ['type=pci address=0000:02:00.0', 'PCI device 0000:02:00.0 does not exist'],
  ])('%s: %s', (device, words) => {
    expect(missing(device)).toBe(words);
  });
});

describe('nothing is missing for', () => {
  test.each([
    'type=disk source=/srv/there path=/x',
    'type=disk source=/srv/gone path=/x required=false',
    'type=disk source=/srv/gone path=/x optional=true',
    'type=disk pool=default source=data path=/x',
    'type=disk pool=default path=/',
    'type=disk source=cloud-init:config',
    'type=disk source=ceph:pool/volume path=/x',
    'type=nic nictype=macvlan parent=eth0',
    'type=nic nictype=bridged parent=lxdbr0',
    'type=nic nictype=p2p',
    'type=nic nictype=routed',
    'type=nic network=lxdbr0',
    'type=nic network=lan',
    'type=unix-char path=/dev/there',
    'type=unix-char path=/dev/gone required=false',
    'type=unix-char path=/dev/gone major=1 minor=7',
    'type=usb vendorid=ffff',
    'type=usb vendorid=ffff required=false',
    'type=usb vendorid=046D productid=c52b required=true',
    'type=unix-hotplug vendorid=046d required=true',
    'type=gpu',
    'type=gpu pci=01:00.0',
    'type=gpu vendorid=10de productid=1b80',
    'type=pci address=0000:01:00.0',
    'type=none',
    'type=tpm path=/dev/gone',
  ])('%s', (device) => {
    expect(missing(device)).toBeUndefined();
  });

  test('a physical interface of an instance that runs: the instance has it', () => {
    expect(missing('type=nic nictype=physical parent=gone0', true)).toBeUndefined();
    expect(missing('type=infiniband nictype=physical parent=gone0', true)).toBeUndefined();
    expect(missing('type=nic nictype=physical parent=gone0', false)).toBe(
      'network interface gone0 does not exist',
    );
  });

  test('a folder of another machine: asking for it may never end', () => {
    host.machine.mounts = [{ path: '/net', type: 'nfs4', device: 'nas:/x', root: '/' }];

    expect(missing('type=disk source=/net/gone path=/x')).toBeUndefined();
    expect(missing('type=disk source=/network/gone path=/x')).toBe('/network/gone does not exist');
  });
});
