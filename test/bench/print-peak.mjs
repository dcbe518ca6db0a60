// Preloaded by the bench: prints the peak of the process's memory when it ends.
process.on('exit', () => {
  process.stderr.write(`peak-rss-kib ${process.resourceUsage().maxRSS}\n`);
});
