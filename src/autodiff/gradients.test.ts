import { afterEach, expect, test, vi } from 'vitest';
import { input, mul, reduceSum } from '../ir/build.ts';
import type { Node } from '../ir/node.ts';

afterEach(() => {
  vi.doUnmock('./adjoints.ts');
  vi.resetModules();
});

test('an adjoint that forgets an operand is refused by name', async () => {
  vi.resetModules();
  vi.doMock('./adjoints.ts', async (importOriginal) => {
    const { adjoints } = await importOriginal<typeof import('./adjoints.ts')>();
    return { adjoints: { ...adjoints, mul: (y: Node, dy: Node) => [mul(dy, y.inputs[1])] } };
  });
  const { gradients } = await import('./gradients.ts');
  const loss = reduceSum(mul(input('x', [3]), input('w', [3])), [0]);
  expect(() => gradients(loss)).toThrow('the adjoint of mul gives 1 contributions for 2 operands');
});
