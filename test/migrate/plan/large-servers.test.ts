// Servers with very much of one kind: a plan of them is made in good time, names all, and shows people what they can read.
import { expect, test } from 'vitest';
import { openOutput } from '../../../src/core/output.ts';
import { renderPlan } from '../../../src/migrate/cli/render-plan.ts';
import { renderVerification } from '../../../src/migrate/cli/render-verification.ts';
import type { Check } from '../../../src/migrate/model/verification.ts';
import type { PlanMaterial } from '../../../src/migrate/plan/plan-material.ts';
import { renderHtml } from '../../../src/migrate/report/render-html.ts';
import { renderMarkdown } from '../../../src/migrate/report/render-markdown.ts';
import { ask, changedDatabase, populatedDatabase } from '../lxd-database.ts';
import { machineWith, planOf } from './planned.ts';

/** `statement` for each i from 1 to `count`. */
const times = (count: number, statement: string): string =>
  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) ${statement};`;

const manyProjects = [
  times(500, "INSERT INTO projects (id, name, description) SELECT 1000 + i, 'team-' || i, '' FROM n"),
  times(
    500,
    "INSERT INTO projects_config (project_id, key, value) SELECT 1000 + i, 'features.profiles', 'true' FROM n",
  ),
  times(
    500,
    "INSERT INTO profiles (id, name, description, project_id) SELECT 10000 + i, 'default', '', 1000 + i FROM n",
  ),
].join('\n');

const manyNetworks = [
  times(
    1000,
    "INSERT INTO networks (id, project_id, name, description, state, type) SELECT 1000 + i, 1, 'br' || i, '', 1, 0 FROM n",
  ),
  times(1000, 'INSERT INTO networks_nodes (network_id, node_id, state) SELECT 1000 + i, 1, 1 FROM n'),
  times(
    1000,
    "INSERT INTO networks_config (network_id, node_id, key, value) SELECT 1000 + i, NULL, 'ipv4.address', '10.' || (i / 250) || '.' || (i % 250) || '.1/24' FROM n",
  ),
].join('\n');

const manyProfiles = [
  times(
    10_000,
    "INSERT INTO profiles (id, name, description, project_id) SELECT 20000 + i, 'profile-' || i, '', 1 FROM n",
  ),
  times(
    10_000,
    "INSERT INTO profiles_config (profile_id, key, value) SELECT 20000 + i, 'limits.memory', '1GiB' FROM n",
  ),
  times(
    10_000,
    "INSERT INTO profiles_devices (id, profile_id, name, type) SELECT 20000 + i, 20000 + i, 'eth0', 1 FROM n",
  ),
  times(
    10_000,
    "INSERT INTO profiles_devices_config (profile_device_id, key, value) SELECT 20000 + i, 'network', 'lxdbr0' FROM n",
  ),
].join('\n');

const manyInstances = [
  times(
    3_000,
    "INSERT INTO instances (id, node_id, name, architecture, type, creation_date, description, project_id) SELECT 5000 + i, 1, 'many-' || i, 2, 0, '2026-01-01 00:00:00+00:00', '', 1 FROM n",
  ),
  times(
    3_000,
    'INSERT INTO instances_profiles (instance_id, profile_id, apply_order) SELECT 5000 + i, 1, 1 FROM n',
  ),
  times(
    3_000,
    "INSERT INTO storage_volumes (name, storage_pool_id, node_id, type, description, project_id, content_type) SELECT 'many-' || i, 1, 1, 0, '', 1, 0 FROM n",
  ),
  times(
    3_000,
    "INSERT INTO instances_devices (id, instance_id, name, type) SELECT 70000 + i, 5000 + i, 'eth0', 1 FROM n",
  ),
  times(
    3_000,
    "INSERT INTO instances_devices_config (instance_device_id, key, value) SELECT 70000 + i, 'network', 'lxdbr0' FROM n",
  ),
].join('\n');

const manySnapshots = [
  times(
    20_000,
    "INSERT INTO instances_snapshots (id, instance_id, name, creation_date, stateful, description) SELECT 1000 + i, 1, 'auto-' || i, '2020-01-01 00:00:00+00:00', 0, '' FROM n",
  ),
  'INSERT INTO instances_snapshots_config (instance_snapshot_id, key, value) SELECT s.id, c.key, c.value FROM instances_snapshots s JOIN instances_config c ON c.instance_id = 1 WHERE s.id > 1000;',
  "INSERT INTO storage_volumes_snapshots (id, storage_volume_id, name, description) SELECT 100000 + id, 1, name, '' FROM instances_snapshots WHERE id > 1000;",
].join('\n');

const manyKeys = times(
  30_000,
  "INSERT INTO instances_config (instance_id, key, value) SELECT 2, 'user.tag.' || i, 'v' || i FROM n",
);

interface Measured extends PlanMaterial {
  /** Of the processor, not of the clock: a busy machine makes it no longer. */
  readonly seconds: number;
}

async function measured(sql: string): Promise<Measured> {
  const host = machineWith(changedDatabase(populatedDatabase(), sql));
  const processor = process.cpuUsage();
  const material = await planOf(host);
  return { ...material, seconds: process.cpuUsage(processor).user / 1e6 };
}

const none = { accept: new Set<string>(), fix: false };

function shown({ plan }: PlanMaterial): string {
  return renderPlan(plan, none, openOutput({ json: false, colour: false }), undefined);
}

// What rows times rows take is minutes: 20 s for the profiles. Each of these took 0.5 to 3.5 s.
test.each([
  ['500 projects', manyProjects],
  ['1,000 networks', manyNetworks],
  ['10,000 profiles', manyProfiles],
  ['3,000 instances', manyInstances],
  ['20,000 snapshots of one container', manySnapshots],
  ['30,000 settings of one instance', manyKeys],
])('%s are planned in seconds, and every row goes over', async (_what, sql) => {
  const tables = 'projects networks profiles instances instances_snapshots instances_config'.split(' ');
  const counts = tables.map((table) => `(SELECT count(*) FROM ${table}) AS ${table}`).join(', ');

  const { plan, convertedImage, sourceImage, seconds } = await measured(sql);

  expect(seconds).toBeLessThan(12);
  const [before, after] = [sourceImage, convertedImage].map((image) => ask(image, `SELECT ${counts}`)[0]);
  // What the conversion itself adds and takes away are settings of instances that ran.
  expect(after).toMatchObject({ ...before, instances_config: expect.any(Number) });
  expect(plan.findings.filter(({ severity }) => severity === 'blocker')).toEqual([]);
  expect(JSON.stringify(plan).length).toBeLessThan(8_000_000);
});

test('thousands of objects of one finding are all in the plan and the report; people see some, and how many more', async () => {
  const material = await measured(
    `${manyInstances} ${times(3_000, "INSERT INTO instances_config (instance_id, key, value) SELECT 5000 + i, 'no.such.key', 'x' FROM n")}
     ${times(3_000, "INSERT INTO instances_devices_config (instance_device_id, key, value) SELECT 70000 + i, 'hwaddr', '00:16:3e:00:00:01' FROM n")}`,
  );
  const { plan } = material;

  const text = shown(material);
  const reports = [renderHtml(plan, undefined), renderMarkdown(plan, undefined)];

  expect(plan.findings.find(({ id }) => id === 'key-unknown')?.objects).toHaveLength(3000);
  const same = plan.findings.find(({ id }) => id === 'broken-before:same-mac')?.objects ?? [];
  expect(same).toHaveLength(1);
  expect(same[0]?.split(' and ')).toHaveLength(3000);
  expect(text).toContain('… and 2990 more (all in the report)');
  expect(text).toMatch(/… \(\d+ more characters in the report\)/);
  expect(text.length).toBeLessThan(60_000);
  for (const report of reports) expect(report).toMatch(/many.{0,2}-2999/);
});

test('of thousands of failed checks people see some, and how many more', () => {
  const checks = Array.from(
    { length: 5_000 },
    (_, index): Check => ({ id: 'x', object: `instance default/i${index}`, what: 'runs', ok: false }),
  );
  const notes = Array.from({ length: 5_000 }, (_, index) => `note ${index}`);

  const text = renderVerification(
    { checks, notes, notLookedAt: [] },
    openOutput({ json: false, colour: false }),
  );

  expect(text.split('\n')).toHaveLength(1 + 51 + 1 + 51);
  expect(text.match(/… and 4950 more \(--json names all\)/g)).toHaveLength(2);
  expect(text).toContain('0 of 5000 checks passed');
});
