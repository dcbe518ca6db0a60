// The process that fuzz.ts watches: files for `migrate --plan`, changed as JSON or as bytes, or of another kind. One that is
// taken says the same as the plan of this moment; any other is refused with a failure that names it.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { Failure } from '../../src/core/failure.ts';
import { readPlanFile, refuseStale } from '../../src/migrate/cli/plan-file.ts';
import { find } from '../../src/migrate/detect/index.ts';
import { planSchema } from '../../src/migrate/model/plan-schema.ts';
import { makePlan } from '../../src/migrate/plan/index.ts';
import { instance } from '../migrate/convert/converted.ts';
import { lxdDatabase } from '../migrate/lxd-database.ts';
import { changedJson, type Json, jsonChange } from './any-json.ts';
import { byteChange, changedBytes } from './changed-bytes.ts';
import { feed, scratchFolder } from './fuzz-child.ts';
import { fuzzedHost } from './fuzzed-host.ts';

const host = fuzzedHost(lxdDatabase(`${instance(1, 'c1')} ${instance(2, 'c2')}`));
process.on('exit', () => host.dispose());
const { plan: live } = await makePlan({
  host,
  found: find(host, {}),
  services: undefined,
  state: '/var/lib/lxd-to-incus',
  toolVersion: '7.8.9',
  run: 'RUN',
  keepable: true,
});
const original = JSON.stringify(live);
const path = join(scratchFolder, 'plan.json');

/** What a plan decides; its other fields are for people, and its run is named anew: the plan of the moment is carried out. */
const decides = ({ steps, findings, contents }: typeof live): string =>
  JSON.stringify([steps, findings, contents]).replace(/\/runs\/[^/"]+\//g, '/runs/RUN/');

const decided = decides(planSchema.parse(JSON.parse(original)));

const pipe = join(scratchFolder, 'pipe');
execFileSync('mkfifo', [pipe]);

type Kind = 'folder' | 'pipe' | 'link onto itself' | 'missing';

function put(content: Buffer | Kind): void {
  fs.rmSync(path, { recursive: true, force: true });
  if (Buffer.isBuffer(content)) fs.writeFileSync(path, content);
  else if (content === 'folder') fs.mkdirSync(path);
  else if (content === 'pipe') fs.linkSync(pipe, path);
  else if (content === 'link onto itself') fs.symlinkSync(path, path);
}

await feed(
  fc.oneof(
    {
      weight: 20,
      arbitrary: fc
        .array(jsonChange, { minLength: 1, maxLength: 3 })
        .map((changes) =>
          Buffer.from(JSON.stringify(changes.reduce(changedJson, JSON.parse(original) as Json))),
        ),
    },
    {
      weight: 5,
      arbitrary: fc
        .array(byteChange, { minLength: 1, maxLength: 4 })
        .map((changes) => changes.reduce(changedBytes, Buffer.from(original))),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Kind>('folder', 'pipe', 'link onto itself', 'missing'),
    },
  ),
  (content) => {
    put(content);
    try {
      const kept = readPlanFile(path);
      refuseStale(kept, live);
      if (decides(kept) !== decided) throw new Error('a plan that does something else is taken');
      return 'taken';
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const { code } = error.problem;
      if (code !== 'plan-stale' && code !== 'bad-file') throw error;
      return code;
    }
  },
);
