// docs/findings.md has a section for each family of findings that the code makes, and for nothing else.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/findings.md'), 'utf8');

/** Families in the code: whatever has an id beside a severity is a finding. */
function familiesInCode(): Set<string> {
  const families = new Set<string>();
  for (const name of readdirSync(join(root, 'src/migrate'), { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const text = readFileSync(join(root, 'src/migrate', name), 'utf8');
    for (const [, , id = ''] of text.matchAll(/\bid:\s*(['`])([^'`\n]+)\1,\s*severity\b/g)) {
      const family = id.split(':')[0] ?? '';
      for (const role of /\$\{role\}/.test(family) ? ['source', 'target'] : [''])
        families.add(family.replace(/\$\{role\}/, role));
    }
  }
  return families;
}

const sections = page
  .split(/^### /m)
  .slice(1)
  .map((section) => ({ title: /^`([^`]+)`/.exec(section)?.[1] ?? section.slice(0, 40), text: section }));

test('every family of findings is explained, and every section explains one', () => {
  expect(sections.map(({ title }) => title).sort()).toEqual([...familiesInCode()].sort());
});

test('the code has findings whose ids this test can read', () => {
  const families = familiesInCode();

  expect(families.size).toBeGreaterThan(30);
  expect([...families].filter((family) => !/^[a-z]+(-[a-z]+)*$/.test(family))).toEqual([]);
});

describe.each(sections)('$title', ({ text }) => {
  test('says what it means, what the tool does and what to do', () => {
    expect(text).toMatch(/\*\*Means:\*\*[\s\S]+\*\*The tool\*\*[\s\S]+\*\*You:\*\*/);
  });
});

test('sections name every answer that a finding takes', () => {
  const section = (title: string): string => sections.find((one) => one.title === title)?.text ?? '';

  for (const family of ['instance-ephemeral', 'saved-state', 'virtual-machine', 'key-lost', 'key-collision'])
    expect(section(family)).toContain('--accept');
  expect(section('target-has-defaults')).toContain('--fix');
});
