// The report: complete, for this user only, and inert whatever the server's objects are called.
import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readInventory } from '../../../src/migrate/inventory/database/read-inventory.ts';
import type { Plan } from '../../../src/migrate/model/plan.ts';
import { writeReport } from '../../../src/migrate/report/index.ts';
import { renderHtml } from '../../../src/migrate/report/render-html.ts';
import { renderMarkdown } from '../../../src/migrate/report/render-markdown.ts';
import { anyText } from '../../any-text.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { populatedDatabase } from '../lxd-database.ts';
import { machineWith, planOf } from '../plan/planned.ts';

let planned: Plan | undefined;

async function aPlan(): Promise<Plan> {
  planned ??= (await planOf(machineWith(populatedDatabase()))).plan;
  return planned;
}

const inventory = readInventory(populatedDatabase());

test('is four files for this user only, in a folder that is made', async () => {
  const folder = join(temporaryFolder(), 'deep/report');

  const page = writeReport(folder, { inventory, plan: await aPlan() });

  expect(page).toBe(join(folder, 'report.html'));
  expect(fs.readdirSync(folder).sort()).toEqual(['inventory.json', 'plan.json', 'report.html', 'report.md']);
  for (const name of fs.readdirSync(folder)) expect(fs.statSync(join(folder, name)).mode & 0o777).toBe(0o600);
});

test('replaces an earlier one, and a planted link instead of following it', async () => {
  const folder = temporaryFolder();
  fs.writeFileSync(join(folder, 'victim'), 'untouched');
  fs.symlinkSync(join(folder, 'victim'), join(folder, 'plan.json'));
  fs.writeFileSync(join(folder, 'report.md'), 'earlier');

  writeReport(folder, { inventory, plan: await aPlan() });

  expect(fs.readFileSync(join(folder, 'victim'), 'utf8')).toBe('untouched');
  expect(fs.readFileSync(join(folder, 'report.md'), 'utf8')).toContain('LXD to Incus: plan');
});

test('without a plan is the inventory alone', () => {
  const folder = temporaryFolder();

  expect(writeReport(folder, { inventory })).toBe(join(folder, 'inventory.json'));
  expect(fs.readdirSync(folder)).toEqual(['inventory.json']);
});

test('names every finding, change and step of the plan', async () => {
  const plan = await aPlan();
  const html = renderHtml(plan, undefined);
  const markdown = renderMarkdown(plan, undefined);

  for (const { id } of plan.findings) expect(html).toContain(id);
  for (const { object, what } of plan.changes) {
    expect(html).toContain(object);
    expect(html).toContain(what);
  }
  expect(html.match(/<section id="steps">.*?<\/section>/s)?.[0].match(/<tr/g)).toHaveLength(
    plan.steps.length + 1,
  );
  expect(markdown.split('\n').filter((line) => /^\| \d+ \|/.test(line))).toHaveLength(plan.steps.length);
});

test('says what failed before what is well', async () => {
  const check = { id: 'pool-available', what: 'is available' };
  const verification = {
    checks: [
      { ...check, object: 'storage pool good', ok: true },
      { ...check, object: 'storage pool bad', ok: false, detail: 'status Unavailable' },
    ],
    notes: ['a note'],
    notLookedAt: ['firewall rules of ACLs: default/web'],
  };

  const html = renderHtml(await aPlan(), verification);

  expect(html).toContain('moved, 1 check(s) failed');
  expect(html.indexOf('storage pool bad')).toBeLessThan(html.indexOf('storage pool good'));
  expect(html).toContain('status Unavailable');
  expect(html).toContain('a note');
  expect(html).toContain('firewall rules of ACLs: default/web');
});

test('is one page that loads nothing and runs nothing', async () => {
  const html = renderHtml(await aPlan(), undefined);

  expect(html).toContain(`Content-Security-Policy" content="default-src 'none'`);
  expect(html).not.toMatch(/<script|<link|<img|src=|https?:/i);
});

test('holds any name as text: no tag, no attribute, no further cell or row', async () => {
  const plan = await aPlan();
  const shape = (html: string): string => html.replace(/>[^<]*/g, '>');
  const withName = (name: string): Plan => ({
    ...plan,
    changes: [{ table: 't', rowId: 1, object: name, what: name, before: name, after: name, rule: 'r' }],
    localChanges: [],
    findings: [{ id: 'x', severity: 'note', objects: [name], what: name, action: name }],
  });
  const plain = {
    html: shape(renderHtml(withName('name'), undefined)),
    lines: renderMarkdown(withName('name'), undefined).split('\n').length,
  };

  fc.assert(
    fc.property(anyText, (name) => {
      const html = renderHtml(withName(name), undefined);
      const markdown = renderMarkdown(withName(name), undefined);

      expect(shape(html)).toBe(plain.html);
      expect(markdown.split('\n')).toHaveLength(plain.lines);
      const row = markdown.split('\n').find((line) => line.startsWith('| t |')) ?? '';
      // Unescaped bars only: seven cells.
      expect(row.replace(/\\./g, '').split('|')).toHaveLength(9);
    }),
    { numRuns: 50 },
  );
});

test('names the answer that was given to each finding, and what was accepted among the checks', async () => {
  const plan = await aPlan();
  const loss = { ...lossOf('virtual-machine'), answers: ['accept' as const] };
  const verification = {
    checks: [
      { id: 'inventory-equal', object: 'image a', what: 'profiles', ok: true, accepted: true as const },
      { id: 'network-up', object: 'network b', what: 'is up', ok: true },
    ],
    notes: [],
    notLookedAt: [],
  };

  const markdown = renderMarkdown(
    { ...plan, findings: [loss, lossOf('saved-state')] },
    verification,
    undefined,
    {
      accept: new Set(['virtual-machine']),
      fix: false,
    },
  );

  expect(markdown).toContain('| loss | virtual\\-machine | o | what | action | accepted |');
  expect(markdown).toContain('| loss | saved\\-state | o | what | action |  |');
  expect(markdown).toContain('| accepted | image a | profiles |  |');
  expect(markdown).toContain('| ok | network b | is up |  |');
});

function lossOf(id: string): Plan['findings'][number] {
  return { id, severity: 'loss', objects: ['o'], what: 'what', action: 'action' };
}
