import { describe, expect, it } from 'vitest';
import { seeded, uniform } from '../../../../test/support/draws.ts';
import { input, reduceSum } from '../../../ir/build.ts';
import type { Node } from '../../../ir/node.ts';
import { verifyProgram } from '../../../program/program.ts';
import { tensor, toFloat64 } from '../../../tensor/tensor.ts';
import { oracleBackend } from '../../oracle/oracleBackend.ts';
import { ortBackend } from '../cpu/ortBackend.ts';

describe('sums by channel', () => {
  it.each([
    [128, false],
    [96, true],
  ])('over %i images stay within two float32 roundings (keepDims %s)', async (n, keepDims) => {
    const shape = [n, 8, 16, 16];
    const x = input('x', shape) as Node<'input'>;
    const program = verifyProgram({
      name: 'sums',
      inputs: new Map([['x', x]]),
      state: new Map(),
      fetches: new Map([['sums', reduceSum(x, [0, 2, 3], keepDims)]]),
    });
    const values = tensor(
      'float32',
      shape,
      Float32Array.from(toFloat64(uniform(seeded(4), shape, 0, 1))),
    );
    const [ours, truth] = await Promise.all(
      [await ortBackend({}), oracleBackend()].map(async (backend) => {
        const executable = await backend.compile(program, ['sums']);
        return (await executable.run(new Map(), new Map([['x', values]]))).get('sums')!;
      }),
    );
    expect(ours.shape).toEqual(truth.shape);
    const exact = toFloat64(truth);
    const errors = toFloat64(ours).map((v, i) => (v - exact[i]) / exact[i]);
    const rms = Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length);
    // One running sum over 128 images errs by 1.5e-7.
    expect(rms).toBeLessThan(2 * 2 ** -24);
  });
});
