import { SHARE_ENV, Worker } from 'node:worker_threads';
import type { BackendOptions } from '../../registry.ts';
import { builtModule } from '../builtModule.ts';
import type { ThreadData } from '../crossing/messages.ts';
import { newQuiet, quietBeforeExit } from './quiet.ts';

/**
 * What a thread begins with: the built module, or the source behind the loader. Node.js 20 gives a thread's
 * first module to no loader, not even one named by --import, so there a line of plain JavaScript is first.
 */
function entry(): URL {
  const built = builtModule('./thread/threadEntry');
  if (built !== undefined) return built;
  const quoted = JSON.stringify;
  const loader = quoted(import.meta.resolve('tsx/esm/api'));
  const source = quoted(new URL('./threadEntry.ts', import.meta.url).href);
  return new URL(
    `data:text/javascript,import { register } from ${loader}; register(); await import(${source});`,
  );
}

/** Starts the thread that backend `name` will live in. */
export function startThread(name: string, options: BackendOptions): Worker {
  const quiet = newQuiet();
  const workerData: ThreadData = { name, options, quiet };
  // Native libraries read the process's own environment, not a thread's copy of it.
  const worker = new Worker(entry(), { name, workerData, env: SHARE_ENV });
  worker.once('exit', quietBeforeExit(quiet));
  return worker;
}
