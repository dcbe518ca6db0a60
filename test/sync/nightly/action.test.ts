import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { openScene, root, type Scene, secretOfBlocked } from './night-scene.ts';

interface Step {
  readonly id?: string;
  readonly if?: string;
  readonly shell?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly run?: string;
}

const action = parse(readFileSync(join(root, 'action.yml'), 'utf8'));

interface Ran {
  readonly status: number | null;
  readonly outputs: string;
  readonly said: string;
}

/** The steps of the action as a runner has them: expressions put in, then bash as GitHub starts it. */
async function runAction(here: Scene, inputs: Readonly<Record<string, string>>): Promise<Ran> {
  const given = new Map<string, string>(
    Object.entries(action.inputs).map(([name, input]) => [
      name,
      inputs[name] ?? String((input as { readonly default?: string }).default ?? ''),
    ]),
  );
  const expand = (text: string): string =>
    text
      .replace(/\$\{\{ github\.action_path \}\}/g, root)
      .replace(/\$\{\{ inputs\.(\w+) \}\}/g, (_, name: string) => given.get(name) ?? '');
  const outputs = join(here.folder, 'github-output');
  writeFileSync(outputs, '');
  let said = '';
  for (const step of action.runs.steps as readonly Step[]) {
    // The program is built already; installing it is what every fresh clone of this project does.
    if (step.run === undefined || step.run.startsWith('npm ci')) continue;
    if (step.if?.includes("inputs.upstream != ''") === true && given.get('upstream') === '') continue;
    const script = join(here.folder, 'step.sh');
    writeFileSync(script, expand(step.run));
    const status = await new Promise<number | null>((resolve) => {
      const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], {
        cwd: here.folder,
        env: {
          PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
          HOME: here.folder,
          NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
          GITHUB_OUTPUT: outputs,
          ...Object.fromEntries(Object.entries(step.env ?? {}).map(([key, value]) => [key, expand(value)])),
        },
      });
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk) => {
          said += chunk;
        });
      child.on('close', resolve);
    });
    if (status !== 0) return { status, outputs: readFileSync(outputs, 'utf8'), said };
  }
  return { status: 0, outputs: readFileSync(outputs, 'utf8'), said };
}

describe('the steps of the action', { timeout: 120_000 }, () => {
  it('bring upstream with the files of cleared commits alone, publish, and pass on that a person must decide', async () => {
    const here = await openScene();
    const served = here.tiny.upstream;
    for (const key of ['uploadpack.allowFilter', 'uploadpack.allowAnySHA1InWant'])
      execFileSync('git', [`--git-dir=${served}`, 'config', key, 'true']);
    here.configure((config) => Object.assign(config, { upstream: 'partial.git' }));

    const inputs = { upstream: `file://${served}`, token: here.github.token, publish: 'true' };
    const first = await runAction(here, inputs);
    const writes = here.github.writes().length;
    const second = await runAction(here, inputs);

    expect(first, first.said).toMatchObject({ status: 0, outputs: 'exit=3\n' });
    expect(second).toMatchObject({ status: 0, outputs: 'exit=4\n' });
    expect(here.github.writes().length).toBe(writes);
    expect(here.github.threads[1]?.body).toContain('1 clean, 1 conflict');
    const objects = execFileSync(
      'git',
      [`--git-dir=${join(here.folder, 'partial.git')}`, 'cat-file', '--batch', '--batch-all-objects'],
      { env: { ...process.env, GIT_NO_LAZY_FETCH: '1' }, encoding: 'latin1' },
    );
    // Its message is there, as that of every commit; its file is not.
    expect(objects.split(secretOfBlocked)).toHaveLength(2);
    expect(first.said + second.said).not.toContain(here.github.token);
  });

  it('publish nothing unless told so, in just these letters', async () => {
    const here = await openScene();
    const dry = await runAction(here, { token: here.github.token, publish: 'True; touch broken' });
    expect(dry).toMatchObject({ status: 0, outputs: 'exit=3\n', said: expect.stringContaining('dry run') });
    expect(here.github.writes()).toEqual([]);
  });

  it('fail, and plan nothing, where upstream cannot be fetched', async () => {
    const here = await openScene();
    here.configure((config) => Object.assign(config, { upstream: 'partial.git' }));
    const ran = await runAction(here, {
      upstream: `file://${here.folder}/gone.git`,
      token: here.github.token,
    });
    expect(ran).toMatchObject({ status: 1, outputs: '' });
    expect(ran.said).toMatch(
      /^Upstream could not be fetched into .*partial\.git; [\s\S]*--from is right: .*gone\.git/,
    );
  });

  it('fail where the run fails', async () => {
    const here = await openScene();
    rmSync(here.config);
    const ran = await runAction(here, { token: here.github.token });
    expect(ran).toMatchObject({ status: 2, outputs: 'exit=2\n', said: expect.stringContaining('ENOENT') });
  });
});
