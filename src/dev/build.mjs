// Bundles both programs into dist/; better-sqlite3 stays outside because it carries a native binary.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '..', '..');
const entries = {
  'lxd-to-incus': 'src/migrate/cli/main.ts',
  'fork-sync': 'src/sync/cli/main.ts',
  'pick-thread': 'src/sync/pick/pick-thread.ts',
};
const present = Object.entries(entries).filter(([, path]) => existsSync(join(root, path)));

// The rules of a migration travel inside the bundle, so that no YAML is parsed at start.
const migration = join(root, 'rules', 'migration');
const migrationRules = existsSync(migration)
  ? Object.assign(
      {},
      ...readdirSync(migration).map((name) => parse(readFileSync(join(migration, name), 'utf8'))),
    )
  : {};

mkdirSync(join(root, 'dist'), { recursive: true });
await build({
  absWorkingDir: root,
  entryPoints: Object.fromEntries(present),
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'esm',
  sourcemap: 'linked',
  external: ['better-sqlite3'],
  define: {
    TOOL_VERSION: JSON.stringify(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version),
    COMPILED_MIGRATION_RULES: JSON.stringify(migrationRules),
  },
  minifySyntax: true,
  // CommonJS dependencies in an ESM bundle still call require().
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
// A single character outside of Latin 1, in a comment, makes V8 keep the whole program with two bytes a character. Strings
// are escaped by esbuild: whatever else there is stands in comments.
for (const name of Object.keys(Object.fromEntries(present))) {
  const file = join(root, 'dist', `${name}.js`);
  writeFileSync(file, readFileSync(file, 'utf8').replace(/[^\x00-\x7f]/g, '?'));
}
writeFileSync(join(root, 'dist', '.built'), '');
