#!/usr/bin/env node
// Starts fork-sync on a Node that can run it, in a thread with a small young generation: that keeps it under 400 MB.
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';

if (Number(process.versions.node.split('.')[0]) < 22) {
  process.stderr.write(`fork-sync needs Node 22 or newer; this is ${process.versions.node}.\n`);
  process.exit(1);
}
setFlagsFromString('--heap-growing-percent=30');
const resourceLimits = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 4096 };
const program = new URL('../dist/fork-sync.js', import.meta.url);
const thread = new Worker(program, { argv: process.argv.slice(2), resourceLimits, stdin: true });
process.stdin.pipe(thread.stdin);
process.stdout.on('error', () => process.exit(0));
// A thread gets no signals: one that asks for them gets the first of each; the next one ends the process as usual.
for (const signal of ['SIGINT', 'SIGTERM'])
  thread.once('message', () => process.once(signal, () => thread.postMessage(signal)));
thread.on('exit', (code) => {
  process.stdin.destroy();
  process.exitCode = code;
});
