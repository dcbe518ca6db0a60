// Preloaded by the bench: prints the peak of the process's memory when it ends. VmHWM begins anew at exec; the peak of
// getrusage() would still hold that of the parent from before it.
import { readFileSync } from 'node:fs';

process.on('exit', () => {
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  process.stderr.write(`peak-rss-kib ${peak}\n`);
});
