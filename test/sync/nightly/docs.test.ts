import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import schema from '../../../src/sync/nightly/config-schema.json' with { type: 'json' };
import { titleNames } from '../../../src/sync/publish/pull-request-text.ts';
import { openScene, root } from './night-scene.ts';

const page = readFileSync(join(root, 'docs', 'fork-sync', 'nightly.md'), 'utf8');

/** Names of the values; the groups that they stand in are told by their dots. */
function namesOf(node: unknown): readonly string[] {
  const properties = typeof node === 'object' && node !== null && 'properties' in node ? node.properties : {};
  return Object.entries(properties ?? {}).flatMap(([name, inner]) => {
    const names = namesOf(inner);
    return names.length === 0 ? [name] : names;
  });
}

describe('docs of the nightly run', () => {
  it('name every key of the configuration and every word of a title', () => {
    const table = page.slice(page.indexOf('| key | meaning |'), page.indexOf('```yaml'));
    for (const name of namesOf(schema)) expect(table).toMatch(new RegExp(`[\`.]${name}\``));
    for (const name of titleNames) expect(table).toContain(`{${name}}`);
  });

  it('show YAML that is YAML', () => {
    for (const [, text = ''] of page.matchAll(/```yaml\n([\s\S]*?)```/g))
      for (const document of parseAllDocuments(text)) expect(document.errors).toEqual([]);
  });
});

describe('the line for cron', () => {
  it('publishes a night with what cron gives it', { timeout: 60_000 }, async () => {
    const here = await openScene();
    execFileSync('git', [`--git-dir=${here.tiny.upstream}`, 'config', 'uploadpack.allowFilter', 'true']);
    writeFileSync(join(here.folder, 'token'), here.github.token);
    here.configure((config) => {
      Object.assign(config, { upstream: 'partial.git' });
      Object.assign(config['forge'] ?? {}, { tokenFile: 'token' });
    });
    const bin = join(here.folder, 'bin');
    mkdirSync(bin);
    symlinkSync(join(root, 'bin', 'fork-sync.js'), join(bin, 'fork-sync'));
    symlinkSync(process.execPath, join(bin, 'node'));
    const [, path = '', line = ''] = /\nPATH=(.*)\n17 2 \* \* \* {2}fork-sync {2}(.*)\n/.exec(page) ?? [];
    const command = line
      .replaceAll('/etc/fork-sync/fork-sync.yaml', here.config)
      .replace('https://github.com/canonical/lxd.git', `file://${here.tiny.upstream}`);

    const env = { HOME: here.folder, SHELL: '/bin/sh', PATH: path.replace('/usr/local/bin', bin) };
    const ran = await promisify(execFile)('/bin/sh', ['-c', command], { cwd: here.folder, env }).catch(
      (error: { readonly code: number; readonly stdout: string; readonly stderr: string }) => error,
    );

    expect(ran, ran.stderr).toMatchObject({ code: 3, stdout: expect.stringContaining('published: http') });
    expect(here.github.threads[0]?.body).toContain('carried over by fork-sync');
  });
});

describe('the action', () => {
  const action = parse(readFileSync(join(root, 'action.yml'), 'utf8'));

  it('never writes an input into a script, where it could be a command', () => {
    for (const { run = '' } of action.runs.steps) expect(run).not.toContain('${{');
  });

  it('runs the command with options that it has', () => {
    const main = readFileSync(join(root, 'src', 'sync', 'cli', 'main.ts'), 'utf8');
    const scripts = action.runs.steps.map(({ run = '' }: { readonly run?: string }) => run).join('\n');
    for (const [option] of scripts.matchAll(/(?<=[ (])--(?:config|publish)\b/g))
      expect(main).toContain(`'${option}`);
    expect(scripts).toContain('nightly --config');
  });
});
