// The devices that an instance has by its profiles and of its own.
import { expect, test } from 'vitest';
import { expandedDevices } from '../../../src/migrate/inventory/expanded-devices.ts';

const inventory = {
  projects: [
    { name: 'default', description: '', config: {} },
    { name: 'own', description: '', config: { 'features.profiles': 'true' } },
    { name: 'shares', description: '', config: { 'features.profiles': 'false' } },
  ],
  profiles: [
    { project: 'default', name: 'a', description: '', config: {}, devices: { x: { n: '1' }, y: { n: '2' } } },
    { project: 'default', name: 'b', description: '', config: {}, devices: { y: { m: '3' } } },
    { project: 'own', name: 'a', description: '', config: {}, devices: { z: { n: '4' } } },
  ],
};

test('the last profile wins, the instance itself over all, and a device is never mixed', () => {
  const instance = { project: 'default', profiles: ['a', 'b'], devices: { x: { type: 'none' } } };

  expect(expandedDevices(inventory, instance)).toEqual([
    { name: 'x', config: { type: 'none' }, profile: undefined },
    { name: 'y', config: { m: '3' }, profile: 'b' },
  ]);
});

test.each([
  ['own', ['z']],
  ['shares', ['x', 'y']],
])('in project %s it has %j of profile a', (project, names) => {
  const devices = expandedDevices(inventory, { project, profiles: ['a', 'unknown'], devices: {} });

  expect(devices.map(({ name }) => name)).toEqual(names);
});
