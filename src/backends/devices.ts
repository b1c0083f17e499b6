import { UserError } from '../errors.ts';
import { add, input } from '../ir/build.ts';
import type { Program } from '../program/program.ts';
import { tensor, toFloat64 } from '../tensor/tensor.ts';
import { type Opened, openOn } from './choose.ts';
import { holding } from './holding.ts';
import { backends } from './registry.ts';

/** What became of one device. */
export interface DeviceReport {
  readonly backend: string;
  readonly device: string;
  readonly runs: boolean;
  /** What computes there, or why nothing does. */
  readonly what: string;
  /** Whether `--device auto` would take it before the CPU. */
  readonly preferred: boolean;
}

const sum: Program = (() => {
  const x = input('x', [3]);
  return {
    name: 'sum',
    inputs: new Map([['x', x]]),
    state: new Map(),
    fetches: new Map([['y', add(x, x)]]),
  };
})();

/** Has the device add up a few numbers; what is wrong with the result, if anything. */
async function tried({ backend }: Opened): Promise<string | undefined> {
  const x = tensor('float32', [3], Float32Array.of(1, 2, -0.5));
  const found = await holding(backend, sum, ['y'], new Map(), (held) =>
    held.run(new Map([['x', x]])),
  );
  const y = toFloat64(found.get('y')!);
  return `${y}` === '2,4,-1' ? undefined : `adds up to ${y} instead of 2,4,-1`;
}

async function probe(backend: string, device: string): Promise<DeviceReport> {
  const of = (runs: boolean, what: string, preferred = false): DeviceReport => ({
    backend,
    device,
    runs,
    what,
    preferred,
  });
  try {
    const opened = await openOn(backend, device);
    try {
      const wrong = await tried(opened);
      const { description } = opened.backend;
      return wrong === undefined
        ? of(true, description, opened.adapter?.kind === 'real')
        : of(false, `${description} ${wrong}`);
    } finally {
      await opened.backend.close?.();
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // The advice is to look at this very list.
    return of(false, error.message.replace(`; ${error.fix}`, ''));
  }
}

/** Opens every device of every backend, one after the other, and runs something on it. */
export async function* probeDevices(): AsyncGenerator<DeviceReport, void, undefined> {
  for (const [backend, devices] of Object.entries(backends)) {
    for (const device of Object.keys(devices)) yield probe(backend, device);
  }
}
