// Findings about instances that run and could not start again.
import { expect, onTestFinished, test } from 'vitest';
import { checkStartable } from '../../../src/migrate/check/startable.ts';
import { readInventory } from '../../../src/migrate/inventory/database/read-inventory.ts';
import { fakeHost } from '../../fakes/fake-host.ts';
import { lxdDatabase } from '../lxd-database.ts';

const inventory = readInventory(
  lxdDatabase(`
    INSERT INTO instances VALUES (1, 1, 'c1', 0, 0, 0, '2026-01-01', 0, '2026-01-01', '', 1, NULL);
    INSERT INTO instances VALUES (2, 1, 'c2', 0, 0, 0, '2026-01-01', 0, '2026-01-01', '', 1, NULL);
    INSERT INTO instances_devices VALUES (1, 1, 'hostdir', 2), (2, 2, 'eth9', 1);
    INSERT INTO instances_devices_config VALUES (1, 1, 'source', '/srv/hostdir'), (2, 1, 'path', '/mnt');
    INSERT INTO instances_devices_config VALUES (3, 2, 'nictype', 'physical'), (4, 2, 'parent', 'nica');
    INSERT INTO profiles_devices VALUES (1, 1, 'logs', 2);
    INSERT INTO profiles_devices_config VALUES (1, 1, 'source', '/srv/logs'), (2, 1, 'path', '/logs');
    INSERT INTO instances_profiles VALUES (1, 1, 1, 1);
  `),
);
const c1 = [
  'instance default/c1, device logs (of profile default): /srv/logs does not exist',
  'instance default/c1, device hostdir: /srv/hostdir does not exist',
];
const c2 = 'instance default/c2, device eth9: network interface nica does not exist';

test.each([
  [['default/c1'], [], c1],
  [[], ['default/c1', 'default/c2'], [...c1, c2]],
  [['default/c2'], [], []],
  [[], [], []],
])('running %j, would start %j: %j', (running, wouldStart, objects) => {
  const host = fakeHost();
  onTestFinished(() => host.dispose());

  const findings = checkStartable({ host, running, wouldStart }, inventory);

  expect(findings.flatMap((finding) => finding.objects)).toEqual(objects);
  expect(findings.map(({ id, severity, answers }) => [id, severity, answers])).toEqual(
    objects.length === 0 ? [] : [['instance-not-startable', 'loss', ['accept']]],
  );
});
