import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { seeded, uniform } from '../../../test/support/draws.ts';
import { edgeCases } from '../../../test/support/edgeCases.ts';
import { caseOps, type OpCase, randomCase } from '../../../test/support/opCases.ts';
import { pythonWith } from '../../../test/support/pythons.ts';
import { runGraph } from '../../../test/support/runGraph.ts';
import { gradients } from '../../autodiff/gradients.ts';
import { input, mul, reduceSum } from '../../ir/build.ts';
import type { Node } from '../../ir/node.ts';
import { toFloat64 } from '../../tensor/tensor.ts';

const python = pythonWith('torch');

interface TorchResult {
  readonly y: readonly number[];
  readonly grads: readonly (readonly number[] | null)[];
}

interface WeightedCase {
  readonly opCase: OpCase;
  /** The loss is Σ weight · y. */
  readonly weight: ReturnType<typeof uniform>;
}

function torchResults(cases: readonly WeightedCase[]): readonly TorchResult[] {
  const request = cases.map(({ opCase: { op, y, feeds }, weight }) => ({
    op,
    params: y.params,
    operands: [...feeds.values()].map((t) => ({
      shape: t.shape,
      int: t.dtype === 'int64',
      data: [...toFloat64(t)],
    })),
    weight: [...weight.data],
  }));
  const script = fileURLToPath(new URL('torchReference.py', import.meta.url));
  const { stdout, stderr, status } = spawnSync(python!, [script], {
    input: JSON.stringify(request),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const distance = (a: readonly number[], b: Float64Array): number => {
  expect(a.length).toBe(b.length);
  const scale = b.reduce((m, v) => Math.max(m, Math.abs(v)), 1);
  return a.reduce((d, v, i) => Math.max(d, Math.abs(v - b[i])), 0) / scale;
};

it.skipIf(python === undefined)(
  'every op and every adjoint is PyTorch’s, to float64 rounding',
  () => {
    const random = seeded(7);
    const cases = [
      ...edgeCases,
      ...caseOps.flatMap((op) => [0, 1, 2, 3, 4, 5].map((seed) => randomCase(op, seed))),
    ].map((opCase) => ({ opCase, weight: uniform(random, opCase.y.shape) }));
    const expected = torchResults(cases);

    cases.forEach(({ opCase: { name, op, y, feeds }, weight }, k) => {
      const values = runGraph({ y }, feeds);
      expect(distance(expected[k].y, values.y.data), name).toBeLessThan(1e-12);
      // an adjoint that only ever appears in backward graphs has none of its own
      if (y.dtype === 'int' || op === 'maxPool2dGrad') return;
      const axes = y.shape.map((_, i) => i);
      const grads = gradients(reduceSum(mul(input('weight', y.shape), y), axes));
      y.inputs.forEach((x, i) => {
        const gradient: Node | undefined = grads.get(x);
        const wanted = expected[k].grads[i];
        if (gradient === undefined) {
          expect(wanted, `${name}, gradient of operand ${i}`).toBeNull();
          return;
        }
        const { g } = runGraph({ g: gradient }, new Map([...feeds, ['weight', weight]]));
        expect(distance(wanted!, g.data), `${name}, gradient of operand ${i}`).toBeLessThan(1e-12);
      });
    });
  },
  60_000,
);
