/** A process that opens a backend in another one, names that, and waits to be killed. */

import { backendIn } from '../../workerBackend.ts';
import { startProcess } from '../startProcess.ts';

const far = startProcess('oracle', {});
await backendIn(far, 'oracle', 'process');
process.stdout.write(`${far.pid}\n`);
setInterval(() => {}, 1000);
