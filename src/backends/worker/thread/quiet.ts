/**
 * Two flags in memory that both threads see. A thread that is ended inside a native call takes the whole
 * process down with it ("terminate called after throwing an instance of 'Napi::Error'"), so a process
 * that wants to go waits for the end of the call.
 */
export type Quiet = Int32Array<SharedArrayBuffer>;

const working = 0;
const leaving = 1;

export const newQuiet = (): Quiet => new Int32Array(new SharedArrayBuffer(8));

/** Announces work. False when the process is about to leave: then nothing may begin any more. */
export function beginWork(quiet: Quiet): boolean {
  // Each side first says what it does and then looks at the other, so they cannot miss each other.
  Atomics.store(quiet, working, 1);
  if (Atomics.load(quiet, leaving) === 0) return true;
  endWork(quiet);
  return false;
}

export function endWork(quiet: Quiet): void {
  Atomics.store(quiet, working, 0);
  Atomics.notify(quiet, working);
}

/** A step takes seconds; one that takes longer than this is not waited for. */
const patienceMs = 60_000;

/** Blocks until no work is under way, and none will begin. */
function waitUntilQuiet(quiet: Quiet): void {
  Atomics.store(quiet, leaving, 1);
  Atomics.wait(quiet, working, 1, patienceMs);
}

const watched = new Set<Quiet>();

const onExit = (): void => {
  for (const quiet of watched) waitUntilQuiet(quiet);
};

/** Has the process wait for quiet before it exits. Gives back how to call that off. */
export function quietBeforeExit(quiet: Quiet): () => void {
  if (watched.size === 0) process.on('exit', onExit);
  watched.add(quiet);
  return () => {
    watched.delete(quiet);
    if (watched.size === 0) process.off('exit', onExit);
  };
}
