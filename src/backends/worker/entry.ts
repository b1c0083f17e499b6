/** What a backend's thread runs: one call after the other, each answered or its error sent back. */
import { parentPort, workerData } from 'node:worker_threads';
import { openInProcess } from '../choose.ts';
import { sendable } from './errorCrossing.ts';
import { hostOf } from './host.ts';
import type { CallName, Calls, Reply, Request, ThreadData } from './messages.ts';
import { beginWork, endWork } from './quiet.ts';
import { buffersOf } from './tensorCrossing.ts';

const port = parentPort!;
const { name, options, quiet } = workerData as ThreadData;

const opening = openInProcess(name, options);
// Whoever asks first is told.
opening.catch(() => {});
const host = hostOf(opening);

const carryOut = <K extends CallName>(call: K, ask: Calls[K]['ask']) => host[call](ask);

async function serve({ id, call, ask }: Request): Promise<void> {
  if (!beginWork(quiet)) return;
  try {
    const { answer, tensors } = await carryOut(call, ask);
    port.postMessage({ id, answer } satisfies Reply, tensors && buffersOf(tensors));
  } catch (error) {
    port.postMessage({ id, error: sendable(error) } satisfies Reply);
  } finally {
    endWork(quiet);
  }
}

let turn = Promise.resolve();
port.on('message', (request: Request) => {
  turn = turn.then(() => serve(request));
});
