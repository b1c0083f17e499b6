/**
 * The first Ctrl-C (or SIGTERM) aborts `stop`, after `tell`; a second one ends the process. Call what comes
 * back when there is nothing left to be stopped.
 */
export function onInterrupt(stop: AbortController, tell: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const asked = (): void => {
    release();
    tell();
    stop.abort();
  };
  const release = (): void => {
    for (const signal of signals) process.off(signal, asked);
  };
  for (const signal of signals) process.on(signal, asked);
  return release;
}
