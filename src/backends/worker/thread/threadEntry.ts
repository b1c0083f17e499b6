/** What a backend's thread runs: one call after the other, each answered or its error sent back. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Request, ThreadData } from '../crossing/messages.ts';
import { serviceOf } from '../serve.ts';
import { beginWork, endWork } from './quiet.ts';

const port = parentPort!;
const { quiet, ...call } = workerData as ThreadData;
const service = serviceOf(call, (reply, transfer) => port.postMessage(reply, transfer), {
  shares: true,
});

async function serve(request: Request): Promise<void> {
  if (!beginWork(quiet)) return;
  await service.answer(request);
  endWork(quiet);
}

let turn = Promise.resolve();
port.on('message', (request: Request) => {
  turn = turn.then(() => serve(request));
});
