// `npm run demo`: plans the move of a real server whose database is bundled, converts it, says where the report is,
// picks a commit from a tiny upstream into its renamed fork, and shows what a night of the bot would propose.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realHost } from '../core/real-host.ts';
import { writeDatabaseDirectory } from '../migrate/apply/write-database.ts';
import { convertFiles } from '../migrate/plan/index.ts';
import { unpackDatabaseFixture } from './database-fixture.ts';
import { demoNight } from './demo-night.ts';
import { demoPick } from './demo-pick.ts';

const root = join(import.meta.dirname, '..', '..');
const folder = fs.mkdtempSync(join(tmpdir(), 'lxd-to-incus-demo-'));

const { database: source } = unpackDatabaseFixture('lxd-5.0.2-clean', folder);
const report = join(folder, 'report');
process.stdout.write(`A real LXD 5.0.2, its database only: ${source}\n\n`);

const plan = spawnSync(
  process.execPath,
  [
    join(root, 'bin', 'lxd-to-incus.js'),
    'plan',
    '--lxd-dir',
    source,
    '--state',
    join(folder, 'state'),
    '--report',
    report,
  ],
  { stdio: 'inherit' },
);
// 3: there is no Incus on this machine, or something else stands in the way; the plan is made all the same.
if (plan.status !== 0 && plan.status !== 3) process.exit(plan.status ?? 1);

const { content, conversion } = convertFiles(realHost, source, {
  plan: {
    source: {
      role: 'source',
      name: 'demo',
      evidence: [],
      dataDirectory: source,
      sockets: [],
      runtimeDirectory: undefined,
      service: { kind: 'none' },
      program: undefined,
      schema: 60,
    },
    target: undefined,
  },
  power: { running: new Set(['default/c1']), frozen: new Set() },
  pinsFromHost: new Map(),
});
const converted = join(folder, 'converted-database');
writeDatabaseDirectory(converted, conversion, content);

process.stdout.write(`
The database that Incus would start on: ${converted}
The report:                             ${join(report, 'report.html')}
`);

demoPick(folder);
demoNight(folder);
