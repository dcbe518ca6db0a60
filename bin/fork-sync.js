#!/usr/bin/env node
// Starts fork-sync on a Node that can run it, as the same process begun again with what keeps it under 400 MB: a small
// young generation, and one malloc arena (a dozen threads with one each leave 40 MB of holes). What only looks at the
// history needs less, and is a fifth slower with it.
if (Number(process.versions.node.split('.')[0]) < 22) {
  process.stderr.write(`fork-sync needs Node 22 or newer; this is ${process.versions.node}.\n`);
  process.exit(1);
}
const flags = ['--heap-growing-percent=30', '--max-semi-space-size=4'];
// Node before 22.15 has no execve: it takes more memory there, and all else is the same.
const command = process.argv.slice(2).find((argument) => !argument.startsWith('-'));
const looks = command === 'scan' || command === 'status';
if (!looks && !process.execArgv.includes(flags[0]) && process.execve !== undefined)
  process.execve(
    process.execPath,
    [process.execPath, ...process.execArgv, ...flags, ...process.argv.slice(1)],
    { ...process.env, MALLOC_ARENA_MAX: '1' },
  );
await import('../dist/fork-sync.js');
