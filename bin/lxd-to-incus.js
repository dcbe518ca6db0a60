#!/usr/bin/env node
// Starts lxd-to-incus; says plainly what is wrong where Node is too old for it.
const major = Number(process.versions.node.split('.')[0]);
if (major < 22) {
  process.stderr.write(`lxd-to-incus needs Node.js 22 or newer; this is ${process.versions.node}.\n`);
  process.exit(2);
}
const { main } = await import('../dist/lxd-to-incus.js');
process.exitCode = await main(process.argv);
