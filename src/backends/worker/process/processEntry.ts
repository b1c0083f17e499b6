/** What a backend's process runs: one call after the other, until nobody is there to ask. */
import type { BackendCall, Request } from '../crossing/messages.ts';
import { serviceOf } from '../serve.ts';
import { openedMark } from './processNotes.ts';

// A Ctrl-C reaches every process of the terminal; whether and when to end is for the one that asks.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
process.on('disconnect', () => process.exit(0));

const call = JSON.parse(process.argv[2]) as BackendCall;
// Node reads several messages from one piece of memory.
const service = serviceOf(call, (reply) => process.send!(reply), { shares: false });
let turn = service.opened.then(() => {
  process.stderr.write(`${openedMark}\n`);
});
process.on('message', (request: Request) => {
  turn = turn.then(() => service.answer(request));
});
