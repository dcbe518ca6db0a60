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
writeFileSync(join(root, 'dist', '.built'), '');
