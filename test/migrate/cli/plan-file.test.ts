// migrate --plan FILE: exactly that plan, or a refusal that says what is different.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import { readPlanFile, refuseStale } from '../../../src/migrate/cli/plan-file.ts';
import type { Plan } from '../../../src/migrate/model/plan.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { config } from '../convert/converted.ts';
import { populatedDatabase } from '../lxd-database.ts';
import { machineWith, planOf } from '../plan/planned.ts';

function written(content: string): string {
  const path = join(temporaryFolder(), 'plan.json');
  writeFileSync(path, content);
  return path;
}

function problemOf(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error instanceof Failure ? error.problem : error;
  }
}

async function plan(): Promise<Plan> {
  return (await planOf(machineWith(populatedDatabase()))).plan;
}

test('a plan that was written down is the plan', async () => {
  const now = await plan();

  const read = readPlanFile(written(JSON.stringify(now, null, 2)));

  expect(read).toEqual(JSON.parse(JSON.stringify(now)));
  expect(problemOf(() => refuseStale(read, now))).toBeUndefined();
});

test.each([
  ['no JSON', '{'],
  ['null', 'null'],
  ['a list', '[]'],
  ['another object', '{"format": 2}'],
  ['a plan without its changes', '{"format": 1, "steps": [], "contents": {}}'],
  ['a plan without its contents', '{"format": 1, "steps": [], "changes": []}'],
])('%s is refused as no plan', (_what, content) => {
  expect(problemOf(() => readPlanFile(written(content)))).toMatchObject({ code: 'bad-file' });
});

test('a plan that is a pipe or a device is refused, and nobody waits for it', () => {
  const pipe = join(temporaryFolder(), 'plan.json');
  execFileSync('mkfifo', [pipe]);

  expect(problemOf(() => readPlanFile(pipe))).toMatchObject({
    code: 'bad-file',
    path: pipe,
    why: 'A file is expected here, and this is a named pipe',
  });
  expect(problemOf(() => readPlanFile('/dev/zero'))).toMatchObject({ code: 'bad-file' });
});

test.each([
  ['leaves its folder', '/var/lib/incus/../../../etc'],
  ['is relative', 'var/lib/incus'],
  ['ends in the middle', '/var/lib/incus\0'],
])('a plan with a path that %s is refused', async (_, path) => {
  const now = await plan();
  const steps = now.steps.map((step) => (step.kind === 'set-aside-target' ? { ...step, path } : step));

  const problem = problemOf(() => readPlanFile(written(JSON.stringify({ ...now, steps }))));

  expect(problem).toMatchObject({ code: 'bad-file', why: expect.stringContaining('steps.') });
});

describe('a plan is stale', () => {
  test.each([
    [
      'rows are others',
      (now: Plan) => ({ ...now, contents: { ...now.contents, instances: 'another' } }),
      /rows of table instances changed/,
    ],
    [
      'another daemon would be stopped in another way',
      (now: Plan) => ({
        ...now,
        steps: now.steps.map((step) =>
          step.kind === 'mask-source' ? { ...step, units: ['another.service'] } : step,
        ),
      }),
      /the steps are not the same/,
    ],
    [
      'Incus was updated',
      (now: Plan) => ({ ...now, target: now.target && { ...now.target, version: '7.0.2' } }),
      /was 6\.0\.4 and is 7\.0\.2/,
    ],
    [
      'another server is meant',
      (now: Plan) => ({ ...now, source: { ...now.source, dataDirectory: '/srv/lxd' } }),
      /the source was/,
    ],
    [
      'other changes would be made',
      (now: Plan) => ({ ...now, changes: now.changes.slice(1) }),
      /changes of the database/,
    ],
    [
      'other things stand in the way',
      (now: Plan) => ({
        ...now,
        findings: [
          ...now.findings,
          { id: 'pool-unavailable', severity: 'loss' as const, objects: ['pool a'], what: '', action: '' },
        ],
      }),
      /finding pool-unavailable: it is new/,
    ],
    [
      'something is in the way no more',
      (now: Plan) => ({ ...now, findings: now.findings.slice(1) }),
      /finding x: it is gone/,
    ],
    [
      'something in the way is about other objects',
      (now: Plan) => ({
        ...now,
        findings: now.findings.map((finding) => ({ ...finding, objects: [...finding.objects, 'another'] })),
      }),
      /finding x: it is not the same/,
    ],
  ])('when %s', async (_what, change, message) => {
    const wanted = await plan();
    const now = change({
      ...wanted,
      findings: [{ id: 'x', severity: 'note', objects: [], what: '', action: '' }],
    } as Plan) as Plan;

    const problem = problemOf(() =>
      refuseStale(
        { ...wanted, findings: [{ id: 'x', severity: 'note', objects: [], what: '', action: '' }] },
        now,
      ),
    );

    expect(problem).toMatchObject({ code: 'plan-stale' });
    expect((problem as { differences: string[] }).differences.join()).toMatch(message);
  });
});

describe('a server that is planned again', () => {
  const replanned = async (sql: string): Promise<unknown> => {
    const wanted = await plan();
    const { plan: now } = await planOf(machineWith(populatedDatabase(sql)));
    return problemOf(() => refuseStale(wanted, { ...now, position: { lastIndex: 99, lastTerm: 1 } }));
  };

  test('fits where only LXD wrote something by itself, whatever the log has grown', async () => {
    expect(
      await replanned(`
        INSERT INTO operations VALUES (77, 'u', '1', 1, NULL);
        UPDATE nodes SET heartbeat = '2030-01-01 00:00:00'; UPDATE instances SET last_use_date = '2030-01-01 00:00:00';
      `),
    ).toBeUndefined();
  });

  test.each([
    ['projects', "INSERT INTO projects VALUES (9, 'x', '');"],
    ['instances_config', config('instances_config', 1, { 'user.x': 'y' })],
    ['instances', "UPDATE instances SET description = 'other';"],
  ])('does not where somebody changed rows of %s', async (table, sql) => {
    const problem = (await replanned(sql)) as { differences: string[] };

    expect(problem).toMatchObject({ code: 'plan-stale' });
    expect(problem.differences).toContain(`rows of table ${table} changed`);
  });
});
