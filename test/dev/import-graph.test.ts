// The rooms of the house: who imports whom.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { circlesOf, importGraph, importsOf, roomsOf } from '../../src/dev/import-graph.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const sources = join(import.meta.dirname, '../../src');

/** Circles that are there still: a list to shorten, and never to lengthen. */
const known = {
  migrate: [] as string[][],
  sync: [['decide', 'gate', 'go', 'merge', 'pick', 'replay', 'rewrite', 'rules', 'scan']],
};

test.each(['migrate', 'sync'] as const)(
  'no folder of %s is in a circle but those that are known',
  (program) => {
    const circles = circlesOf(importGraph(sources, roomsOf(program)));

    expect(circles).toEqual(known[program].map((circle) => circle.map((name) => `${program}/${name}`)));
  },
);

test('the programs do not import each other, and the reader of databases imports only the kernel', () => {
  const graph = importGraph(sources, (path) => path.split('/')[0]);
  const importedBy = (folder: string) => [...(graph.get(folder)?.keys() ?? [])].sort();

  expect(importedBy('core')).toEqual([]);
  expect(importedBy('dqlite')).toEqual(['core']);
  expect(importedBy('migrate')).toEqual(['core', 'dqlite']);
  expect(importedBy('sync')).toEqual(['core']);
});

test('every form of import counts, those of types too', () => {
  const source = `
import a from './a.ts';
import type { B } from '../b.ts';
import {
  c,
  type D,
} from './c/d.ts';
export { e } from './e.ts';
export type * from './f.ts';
import './g.ts';
const text = 'no import from here';
const h = await import('./h.ts');
import node from 'node:fs';
`;

  expect(importsOf(source)).toEqual([
    './a.ts',
    '../b.ts',
    './c/d.ts',
    './e.ts',
    './f.ts',
    './g.ts',
    './h.ts',
  ]);
});

test('a circle is found over any number of folders, and a folder outside of it is not in it', () => {
  const root = temporaryFolder();
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write('sync/a/index.ts', "import '../b/index.ts';\n");
  write('sync/b/index.ts', "import type { X } from '../c/deep/x.ts';\n");
  write('sync/c/deep/x.ts', "export { y } from '../../a/index.ts';\n");
  write('sync/d/index.ts', "import '../a/index.ts';\n");

  const graph = importGraph(root, roomsOf('sync'));

  expect(circlesOf(graph)).toEqual([['sync/a', 'sync/b', 'sync/c']]);
  expect(graph.get('sync/c')).toEqual(new Map([['sync/a', ['sync/c/deep/x.ts']]]));
});
