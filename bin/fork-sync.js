#!/usr/bin/env node
// Starts fork-sync on a Node that can run it.
const [major = 0] = process.versions.node.split('.').map(Number);
if (major < 22) {
  process.stderr.write(`fork-sync needs Node 22 or newer; this is ${process.versions.node}.\n`);
  process.exit(1);
}
const { setFlagsFromString } = await import('node:v8');
// Small nurseries and an early major collection keep the whole process under 400 MB.
setFlagsFromString('--max-old-space-size=300');
setFlagsFromString('--max-semi-space-size=8');
await import('../dist/fork-sync.js');
