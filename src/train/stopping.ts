import { setImmediate } from 'node:timers/promises';

/**
 * Lets signals and timers come through, which a backend may have kept out for a whole step. Throws the
 * signal's reason when it is aborted by then.
 */
export async function heed(signal: AbortSignal | undefined): Promise<void> {
  await setImmediate();
  signal?.throwIfAborted();
}

/** What `work` gives, or undefined when it was stopped by the signal. Other errors pass. */
export async function unlessStopped<T>(
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (signal?.aborted === true && error === signal.reason) return undefined;
    throw error;
  }
}
