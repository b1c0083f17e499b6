import { constant, div, mul, neg, reluGrad } from '../ir/build.ts';
import { type AdjointTable, noGradient } from './rule.ts';

export const elementwise: AdjointTable<
  'add' | 'sub' | 'mul' | 'div' | 'neg' | 'exp' | 'sqrt' | 'relu' | 'reluGrad' | 'equal'
> = {
  // d(a + b) = da + db
  add: (_, dy) => [dy, dy],
  // d(a − b) = da − db
  sub: (_, dy) => [dy, neg(dy)],
  // d(a · b) = da · b + a · db
  mul: ({ inputs: [a, b] }, dy) => [mul(dy, b), mul(dy, a)],
  // d(a / b) = da / b − (a / b) · db / b
  div: (y, dy) => {
    const da = div(dy, y.inputs[1]);
    return [da, neg(mul(da, y))];
  },
  // d(−x) = −dx
  neg: (_, dy) => [neg(dy)],
  // d eˣ = eˣ · dx
  exp: (y, dy) => [mul(dy, y)],
  // d √x = dx / (2 √x)
  sqrt: (y, dy) => [div(dy, mul(y, constant(2)))],
  // d relu(x) = dx where x > 0, that is where y > 0; 0 at 0, as PyTorch has it
  relu: (y, dy) => [reluGrad(dy, y)],
  // linear in dy; y only decides
  reluGrad: ({ inputs: [, y] }, ddy) => [reluGrad(ddy, y), null],
  equal: noGradient,
};
