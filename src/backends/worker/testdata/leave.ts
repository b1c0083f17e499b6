/** A process that ends with a backend's thread idle, or in the middle of a run. */
import { workerBackend } from '../workerBackend.ts';
import { longInputs, longProgram } from './longProgram.ts';

const backend = await workerBackend('ort', { threads: 1 });
const executable = await backend.compile(longProgram(), ['y']);
const run = () => executable.run(new Map(), longInputs());
const endings: Record<string, () => void> = {
  idle: () => {},
  exit: () => {
    void run();
    void run();
    setTimeout(() => process.exit(3), 50);
  },
  throw: () => {
    void run();
    setTimeout(() => {
      throw new Error('on purpose');
    }, 50);
  },
};
endings[process.argv[2]]();
