import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gradients } from '../autodiff/gradients.ts';
import { crossEntropy } from '../nn/crossEntropy.ts';
import {
  add,
  constant,
  conv2d,
  input,
  matmul,
  neg,
  pair,
  perChannel,
  relu,
  reshape,
} from './build.ts';
import { topologicalOrder, verify } from './graph.ts';
import type { Node } from './node.ts';
import { printGraph } from './print.ts';

it('orders every operand before its users, each node once, the same way every time', () => {
  const graph = fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(graph, (pairs) => {
      const nodes: Node[] = [input('x', [])];
      for (const [a, b] of pairs) nodes.push(add(nodes[a % nodes.length], nodes[b % nodes.length]));
      const roots = [nodes[nodes.length - 1], nodes[nodes.length >> 1]];
      const order = topologicalOrder(roots);
      expect(new Set(order).size).toBe(order.length);
      const place = new Map(order.map((node, i) => [node, i]));
      for (const node of order) {
        for (const operand of node.inputs) {
          expect(place.get(operand)).toBeLessThan(place.get(node)!);
        }
      }
      expect(order).toContain(roots[0]);
      expect(topologicalOrder(roots)).toEqual(order);
    }),
  );
});

it('walks a chain of 10,000 nodes without deep recursion', () => {
  let node: Node = input('x', []);
  for (let i = 0; i < 10_000; i++) node = neg(node);
  const order = topologicalOrder([node]);
  expect(order).toHaveLength(10_001);
  expect(order[0].op).toBe('input');
  expect(order[10_000]).toBe(node);
  verify([node]);
  expect(gradients(node).size).toBe(10_001);
});

it('does not blow up where paths are many and nodes few', () => {
  let node: Node = input('x', []);
  for (let i = 0; i < 200; i++) node = add(node, node);
  expect(topologicalOrder([node])).toHaveLength(201);
});

it('catches a forged node', () => {
  const honest = relu(input('x', [2]));
  const forged: Node = { ...honest, shape: [3] };
  expect(() => verify([neg(forged)])).toThrow('relu says float[3], its operands give float[2]');
  expect(() => verify([{ ...honest, dtype: 'int' }])).toThrow('relu says int[2]');
  expect(() => verify([{ ...honest, inputs: [] }])).toThrow('relu(): takes 1 operands');
});

it('catches two inputs of one name, and lets one input be used twice', () => {
  const x = input('x', [2]);
  verify([add(x, x)]);
  expect(() => verify([add(x, input('x', [2]))])).toThrow('two different inputs are called x');
});

it('prints a small network', () => {
  const { logits, loss } = network();
  const names = new Map([
    ['logits', logits],
    ['loss', loss],
  ]);
  expect(printGraph(names)).toMatchInlineSnapshot(`
    "%0 = input {name=images} : float[2,1,4,4]
    %1 = input {name=w} : float[3,1,2,2]
    %2 = conv2d %0 %1 {stride=[2,2] padding=[0,0]} : float[2,3,2,2]
    %3 = input {name=b} : float[3]
    %4 = reshape %3 {shape=[1,3,1,1]} : float[1,3,1,1]
    %5 = add %2 %4 : float[2,3,2,2]
    %6 = relu %5 : float[2,3,2,2]
    %7 = reshape %6 {shape=[2,12]} : float[2,12]
    %8 = input {name=v} : float[5,12]
    %9 = matmul %7 %8 {transposeA=false transposeB=true} : float[2,5]  # logits
    %10 = input {name=labels} : int[2]
    %11 = oneHot %10 {classes=5} : float[2,5]
    %12 = logSoftmax %9 : float[2,5]
    %13 = mul %11 %12 : float[2,5]
    %14 = reduceSum %13 {axes=[0,1] keepDims=false} : float[]
    %15 = constant {value=-0.5} : float[]
    %16 = mul %14 %15 : float[]  # loss
    "
  `);
});

it('prints its backward graph', () => {
  const { loss, w, b } = network();
  const grads = gradients(loss);
  const names = new Map([
    ['loss', loss],
    ['w.grad', grads.get(w)!],
    ['b.grad', grads.get(b)!],
  ]);
  expect(printGraph(names)).toMatchInlineSnapshot(`
    "%0 = input {name=labels} : int[2]
    %1 = oneHot %0 {classes=5} : float[2,5]
    %2 = input {name=images} : float[2,1,4,4]
    %3 = input {name=w} : float[3,1,2,2]
    %4 = conv2d %2 %3 {stride=[2,2] padding=[0,0]} : float[2,3,2,2]
    %5 = input {name=b} : float[3]
    %6 = reshape %5 {shape=[1,3,1,1]} : float[1,3,1,1]
    %7 = add %4 %6 : float[2,3,2,2]
    %8 = relu %7 : float[2,3,2,2]
    %9 = reshape %8 {shape=[2,12]} : float[2,12]
    %10 = input {name=v} : float[5,12]
    %11 = matmul %9 %10 {transposeA=false transposeB=true} : float[2,5]
    %12 = logSoftmax %11 : float[2,5]
    %13 = mul %1 %12 : float[2,5]
    %14 = reduceSum %13 {axes=[0,1] keepDims=false} : float[]
    %15 = constant {value=-0.5} : float[]
    %16 = mul %14 %15 : float[]  # loss
    %17 = constant {value=1} : float[]
    %18 = mul %17 %15 : float[]
    %19 = reshape %18 {shape=[1,1]} : float[1,1]
    %20 = broadcastTo %19 {shape=[2,5]} : float[2,5]
    %21 = mul %20 %1 : float[2,5]
    %22 = exp %12 : float[2,5]
    %23 = reduceSum %21 {axes=[1] keepDims=true} : float[2,1]
    %24 = mul %22 %23 : float[2,5]
    %25 = sub %21 %24 : float[2,5]
    %26 = matmul %25 %10 {transposeA=false transposeB=false} : float[2,12]
    %27 = reshape %26 {shape=[2,3,2,2]} : float[2,3,2,2]
    %28 = reluGrad %27 %8 : float[2,3,2,2]
    %29 = conv2dWeightGrad %2 %28 {stride=[2,2] padding=[0,0] kernel=[2,2]} : float[3,1,2,2]  # w.grad
    %30 = reduceSum %28 {axes=[0,2,3] keepDims=false} : float[3]
    %31 = reshape %30 {shape=[1,3,1,1]} : float[1,3,1,1]
    %32 = reshape %31 {shape=[3]} : float[3]  # b.grad
    "
  `);
});

it('gives a value with two names both, and the same text for the same graph', () => {
  const twice = (): string => {
    const y = add(input('x', []), constant(2));
    return printGraph(
      new Map([
        ['a', y],
        ['b', y],
      ]),
    );
  };
  expect(twice()).toContain(': float[]  # a, b');
  expect(twice()).toBe(twice());
});

/** A strided convolution with bias, ReLU, a linear layer and the cross-entropy of two images. */
function network() {
  const x = input('images', [2, 1, 4, 4]);
  const w = input('w', [3, 1, 2, 2]);
  const b = input('b', [3]);
  const y = conv2d(x, w, { stride: pair(2), padding: pair(0) });
  const hidden = reshape(relu(add(y, perChannel(b))), [2, 12]);
  const logits = matmul(hidden, input('v', [5, 12]), { transposeB: true });
  return { w, b, logits, loss: crossEntropy(logits, input('labels', [2], 'int')) };
}
