import { expect, it } from 'vitest';
import { tensor } from '../../../tensor/tensor.ts';
import { onnxGraph } from './onnxGraph.ts';
import { runOnnxModel } from './onnxModel.ts';

it('publishes what is computed, read on, published twice, or only handed through', async () => {
  const g = onnxGraph('names');
  g.input('x', 'float', [2]);
  const negative = g.emit('Neg', ['x']);
  g.output('first', negative, 'float', [2]);
  g.output('second', negative, 'float', [2]);
  g.output('same', 'x', 'float', [2]);
  g.output('twice', g.emit('Add', [negative, negative]), 'float', [2]);
  const x = tensor('float32', [2], Float32Array.of(1, -3));
  const found = await runOnnxModel(g.toBytes(), new Map([['x', x]]));
  expect([...found].map(([name, { data }]) => [name, ...data])).toEqual([
    ['first', -1, 3],
    ['second', -1, 3],
    ['same', 1, -3],
    ['twice', -2, 6],
  ]);
});
