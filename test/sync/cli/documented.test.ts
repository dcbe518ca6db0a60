import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addHelp, examples } from '../../../src/sync/cli/help.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const sources = join(root, 'src', 'sync', 'cli');
const code = readdirSync(sources)
  .map((name) => readFileSync(join(sources, name), 'utf8'))
  .join('\n');
const page = readFileSync(join(root, 'docs', 'cli.md'), 'utf8');
const guides = ['scan.md', 'nightly.md'].map((name) =>
  readFileSync(join(root, 'docs', 'fork-sync', name), 'utf8'),
);
const section = [page.slice(page.indexOf('\n## fork-sync')), ...guides].join('\n');

describe('docs/cli.md, and the guides that it names', () => {
  it('names every command of fork-sync', () => {
    const commands = [...code.matchAll(/\.command\('([a-z]+)'\)/g)].map((match) => match[1] ?? '');
    expect(commands.length).toBeGreaterThan(8);
    expect(commands.filter((name) => !new RegExp(`\\b${name}\\b`).test(section))).toEqual([]);
  });

  it('names every option of fork-sync', () => {
    const options = [...code.matchAll(/\.option\(\s*['"](--[a-z-]+)/g)].map((match) => match[1] ?? '');
    expect(options.length).toBeGreaterThan(15);
    expect(options.filter((name) => !section.includes(`\`${name}`) && !section.includes(` ${name}`))).toEqual(
      [],
    );
  });
});

describe('help', () => {
  it('has examples for every command that it knows, which name their own command and no unknown option', () => {
    const options = new Set([...code.matchAll(/['"](--[a-z-]+)/g)].map((match) => match[1]));
    for (const [name, lines] of Object.entries(examples)) {
      const words = name.split(' ');
      expect(code).toContain(name === 'fork-sync' ? "Command('fork-sync')" : `.command('${words.at(-1)}')`);
      for (const line of lines) {
        if (name !== 'fork-sync') expect(line).toContain(`fork-sync ${name}`);
        const ours = line.slice(line.lastIndexOf('fork-sync'));
        for (const [option] of ours.matchAll(/--[a-z-]+/g)) expect(options).toContain(option);
      }
    }
  });

  it('ends with examples and exit codes, for a command within another too', () => {
    const program = new Command('fork-sync');
    const check = program.command('rules').command('check');
    addHelp(program);
    let text = '';
    check.configureOutput({
      writeOut: (part) => {
        text += part;
      },
    });
    check.outputHelp();
    expect(text).toContain('fork-sync rules check --pairs');
    expect(text).toMatch(/Exit codes: 0 done.*5 interrupted/);
  });
});
