import { Interrupted } from '../../errors.ts';

/** Ctrl-C, `kill` and schedulers, and a terminal or connection that is gone. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ctrl-C reaches a process from its terminal and from npm, a lost connection from shell and kernel: one wish. */
const sameWishMs = 1000;

/** What is to be done when the process is asked to stop. */
export interface InterruptPlan {
  readonly stop: AbortController;
  /** The error that `stop` is aborted with. */
  readonly because: { readonly what: string; readonly fix?: string };
  readonly tell?: () => void;
}

/**
 * The first such signal aborts `stop` with an Interrupted; Ctrl-C or `kill` once more, later than the echo
 * of the first, ends the process. Call what comes back when there is nothing left to be stopped.
 */
export function onInterrupt({ stop, because, tell }: InterruptPlan): () => void {
  let first: number | undefined;
  const asked = (signal: NodeJS.Signals): void => {
    if (first === undefined) {
      first = performance.now();
      tell?.();
      const { what, ...detail } = because;
      stop.abort(new Interrupted(signal, what, detail));
    } else if (signal !== 'SIGHUP' && performance.now() - first > sameWishMs) {
      release();
      process.kill(process.pid, signal);
    }
  };
  const release = (): void => {
    for (const signal of signals) process.off(signal, asked);
  };
  for (const signal of signals) process.on(signal, asked);
  return release;
}
