import { describe, expect, it } from 'vitest';
import { hasRecorderTorch } from '../support/pythons.ts';
import { madeInTorch } from './madeInTorch.ts';

describe.skipIf(!hasRecorderTorch)('one mistake, made in PyTorch (needs PyTorch 2.1)', () => {
  const judged = madeInTorch('mistakes.py');

  it.each(['maps', 'bytes'])('%s passes where none is made', (network) => {
    const { passed, message } = judged(network, 'right');
    expect(passed, message).toBe(true);
  });

  it.each<[network: string, mistake: string, tensor: string, says: RegExp]>([
    ['maps', 'replicate', 'conv1.output', /^wrong only .* row .* column, 1 deep: padding/],
    ['maps', 'circular', 'conv2.output', /^padded by circular, the reference pads with zeros$/],
    ['maps', 'last', 'conv2.output', /^wrong only in image 7, the last; all else is right/],
    ['maps', 'channel', 'mix.output', /^wrong only in channel 3; all else is right/],
    [
      'maps',
      'clamp',
      'conv1.output.grad',
      /^ReLU that lets the gradient pass where its input is 0 is computed/,
    ],
    ['maps', 'ties', 'relu.output.grad', /^equal values share the gradient: a tie$/],
    ['maps', 'seed', 'draw.0', /^both are permutations of 0 … 7: another seed/],
    [
      'maps',
      'undropped',
      'drop1.output',
      /^dropout is not active: the reference drops \d+ of 2048/,
    ],
    [
      'maps',
      'always',
      'step1/drop2.output',
      /^dropout is active where the reference drops nothing/,
    ],
    ['maps', 'mask', 'drop2.output', /^dropout by another mask: that of drop1\.mask/],
    ['maps', 'half', 'conv1.output', /^all of its numbers are float16's/],
    ['bytes', 'wrapped', 'bright.output', /^kept in uint8: .* wrapped round by 256/],
    ['bytes', 'floor', 'darker.output', /^cut to integers, towards zero/],
    ['bytes', 'bfloat16', 'wide.output', /^noise of the size of a rounding to bfloat16/],
    ['bytes', 'tf32', 'wide.output', /^noise of the size of a rounding to TF32 or float16/],
    ['bytes', 'order', 'wide.output', /^rounding, .* times PyTorch's own: summed in another order/],
  ])('%s.%s is told at %s', (network, mistake, name, says) => {
    const [first] = judged(network, mistake).diverges;
    expect(first.name).toBe(name);
    expect(first.cause?.says).toMatch(says);
  });
});
