// Preloaded by the bench: writes down each event, request and command of the process, with its time and the processor's.
import childProcess from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';

const path = process.env.LXD_TO_INCUS_BENCH_TRACE;
/** Milliseconds since the process began. */
const now = () => Number(performance.now().toFixed(1));
const lines = [];

function note(kind, what, begun) {
  const { user, system } = process.cpuUsage();
  const cpu = Number(((user + system) / 1000).toFixed(1));
  const machineCpu = kind === 'event' ? machineMilliseconds() : undefined;
  lines.push(JSON.stringify({ kind, what, begun, ended: now(), cpu, machineCpu }));
}

/** Of everything in the machine, whose root of the hierarchy this is. */
function machineMilliseconds() {
  try {
    return Number(readFileSync('/sys/fs/cgroup/cpuacct/cpuacct.usage', 'utf8')) / 1e6;
  } catch {
    return undefined;
  }
}

const { request } = http;
http.request = (options, ...rest) => {
  const begun = now();
  const message = request(options, ...rest);
  message.on('close', () => note('request', `${options.method} ${options.path}`, begun));
  return message;
};
const { spawn } = childProcess;
childProcess.spawn = (command, args, ...rest) => {
  const begun = now();
  const child = spawn(command, args, ...rest);
  child.on('close', () => note('command', [command, ...args].join(' '), begun));
  return child;
};
syncBuiltinESMExports();

const write = process.stdout.write.bind(process.stdout);
process.stdout.write = (chunk, ...rest) => {
  if (String(chunk).startsWith('{"event"')) {
    const { event, kind, state } = JSON.parse(chunk);
    note('event', [event, kind, state].filter((part) => part !== undefined).join(' '), now());
  }
  return write(chunk, ...rest);
};
note('event', 'start', now());
process.on('exit', () => {
  note('event', 'exit', now());
  appendFileSync(path, `${lines.join('\n')}\n`);
});
