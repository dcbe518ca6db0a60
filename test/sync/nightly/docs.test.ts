import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import schema from '../../../src/sync/nightly/config-schema.json' with { type: 'json' };
import { titleNames } from '../../../src/sync/publish/pull-request-text.ts';

const root = join(import.meta.dirname, '..', '..', '..');
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
