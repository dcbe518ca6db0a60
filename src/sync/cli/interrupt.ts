// Ctrl-C and SIGTERM as a signal that a command looks at: what was made is given first.
const signals = ['SIGINT', 'SIGTERM'];

/** Aborted at the first interruption, which is also told; a second one ends the process as ever. */
export function interruption(told: () => void = () => {}): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    for (const signal of signals) process.off(signal, stop);
    controller.abort();
    told();
  };
  for (const signal of signals) process.once(signal, stop);
  return controller.signal;
}
