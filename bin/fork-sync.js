#!/usr/bin/env node
// Starts fork-sync on a Node that can run it, in a thread with a small young generation: that keeps it under 400 MB.
const [major = 0] = process.versions.node.split('.').map(Number);
if (major < 22) {
  process.stderr.write(`fork-sync needs Node 22 or newer; this is ${process.versions.node}.\n`);
  process.exit(1);
}
const { Worker } = await import('node:worker_threads');
const { setFlagsFromString } = await import('node:v8');
setFlagsFromString('--heap-growing-percent=50');
const thread = new Worker(new URL('../dist/fork-sync.js', import.meta.url), {
  argv: process.argv.slice(2),
  resourceLimits: { maxYoungGenerationSizeMb: 24, maxOldGenerationSizeMb: 4096 },
  stdin: true,
});
process.stdin.pipe(thread.stdin);
process.stdout.on('error', () => process.exit(0));
thread.on('exit', (code) => {
  process.stdin.destroy();
  process.exitCode = code;
});
