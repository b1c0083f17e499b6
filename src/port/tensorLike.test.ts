import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import { Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { tensor, toFloat64 } from '../tensor/tensor.ts';
import { tensorOf, tensorOfAsync } from './tensorLike.ts';

const six = Float32Array.of(1, 2, 3, 4, 5, 6);

describe('what a port hands over', () => {
  it('may be a tensor of TensorFlow.js', async () => {
    await tf.setBackend('cpu');
    expect(tensorOf(tf.tensor2d([...six], [2, 3]), 'x')).toEqual(tensor('float32', [2, 3], six));
    expect(tensorOf(tf.tensor1d([1, -2], 'int32'), 'x').data).toEqual(Int32Array.of(1, -2));
    expect(tensorOf(tf.tensor1d([true, false]), 'x')).toMatchObject({ dtype: 'bool', shape: [2] });
    const later = await tensorOfAsync(tf.scalar(2.5), 'x');
    expect(later).toEqual(tensor('float32', [], Float32Array.of(2.5)));
    expect(() => tensorOf(tf.complex([1], [2]), 'x')).toThrow(/x: has dtype complex64/);
  });

  it('may be a tensor of onnxruntime', () => {
    expect(tensorOf(new OrtTensor('float32', six, [3, 2]), 'x').shape).toEqual([3, 2]);
    const big = new OrtTensor('int64', BigInt64Array.of(2n ** 60n), [1]);
    expect(tensorOf(big, 'x').data[0]).toBe(2n ** 60n);
    const half = tensorOf(new OrtTensor('float16', Uint16Array.of(0x3c00), [1]), 'x');
    expect([half.dtype, toFloat64(half)[0]]).toEqual(['float16', 1]);
  });

  it('may be numbers beside their shape, a typed array, lists, a number', () => {
    expect(tensorOf({ data: six, shape: [2, 3] }, 'x')).toEqual(tensor('float32', [2, 3], six));
    expect(tensorOf(six, 'x').shape).toEqual([6]);
    expect(
      tensorOf(
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        'x',
      ),
    ).toEqual(tensor('float64', [3, 2], Float64Array.from(six)));
    expect(tensorOf(7, 'x')).toEqual(tensor('float64', [], Float64Array.of(7)));
  });

  it('of nested lists is what TensorFlow.js makes of them', () => {
    const extents = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(extents, fc.integer(), (shape, seed) => {
        const theirs = tf.randomUniform(shape, -1, 1, 'float32', seed);
        const ours = tensorOf(theirs.arraySync() as number[], 'x');
        expect(ours.shape).toEqual(shape);
        expect(Float32Array.from(toFloat64(ours))).toEqual(theirs.dataSync());
        theirs.dispose();
      }),
    );
  });

  it('keeps truths and whole numbers as what they are', () => {
    const yes = new OrtTensor('bool', [true, false, true], [3]);
    expect(tensorOf(yes, 'x')).toEqual(tensor('bool', [3], Uint8Array.of(1, 0, 1)));
    const small = tensorOf(Int8Array.of(-1), 'x');
    expect([small.dtype, small.data[0]]).toEqual(['int8', -1]);
    expect(tensorOf({ data: BigInt64Array.of(-5n) }, 'x').dtype).toBe('int64');
    const half = { data: Uint16Array.of(0xc000), shape: [], dtype: 'float16' };
    expect(toFloat64(tensorOf(half, 'x'))[0]).toBe(-2);
    expect(tensorOf([], 'x').shape).toEqual([0]);
  });

  it('keeps the type that it had in a file', () => {
    const wide = { ...tensor('float32', [2], Float32Array.of(1, -2)), stored: 'bfloat16' };
    expect(tensorOf(wide, 'x')).toEqual(wide);
    // The upper halves of float32s.
    const bits = { data: Uint16Array.of(0x3f80, 0xc000), shape: [2], dtype: 'bfloat16' };
    expect(tensorOf(bits, 'x')).toEqual(wide);
  });

  it('may be a plain list of truths, of bigints, or of the type that is said', () => {
    expect(tensorOf([[true], [false]], 'x')).toEqual(tensor('bool', [2, 1], Uint8Array.of(1, 0)));
    expect(tensorOf([2n ** 62n], 'x')).toEqual(tensor('int64', [1], BigInt64Array.of(2n ** 62n)));
    expect(tensorOf(true, 'x')).toEqual(tensor('bool', [], Uint8Array.of(1)));
    const asked = (dtype: string, data: unknown[]) => tensorOf({ data, dtype } as never, 'x');
    expect(asked('int64', [3, -1])).toEqual(tensor('int64', [2], BigInt64Array.of(3n, -1n)));
    expect(asked('float32', [0.1]).data).toEqual(Float32Array.of(0.1));
    expect(asked('bool', [true, 0]).data).toEqual(Uint8Array.of(1, 0));
    expect(() => asked('int32', [1, 0.5])).toThrow(/x: element 1, 0\.5, is not of type int32/);
    expect(() => asked('int64', [0.5])).toThrow(/is not of type int64/);
    expect(() => asked('uint8', [256])).toThrow(/element 0, 256, is not of type uint8/);
    expect(() => asked('int64', [2n ** 63n])).toThrow(/is not of type int64/);
    expect(() => asked('float16', [1])).toThrow(/says float16 and holds float64/);
  });

  it.skipIf(!('Float16Array' in globalThis))('may be half floats (needs Float16Array)', () => {
    const { Float16Array: Half } = globalThis as unknown as {
      Float16Array: new (values: readonly number[]) => Float32Array;
    };
    const half = tensorOf(new Half([1, -2.5]), 'x');
    expect([half.dtype, ...toFloat64(half)]).toEqual(['float16', 1, -2.5]);
    expect(tensorOf({ data: new Half([1]), dtype: 'float16', shape: [] }, 'x').shape).toEqual([]);
  });

  it('is copied: an engine may use its memory again', () => {
    const data = Float32Array.of(1, 2);
    const kept = tensorOf({ data, shape: [2] }, 'x');
    data[0] = 9;
    expect(kept.data[0]).toBe(1);
  });

  it('that lies on a device is asked for in the right way', async () => {
    const there = {
      dims: [1],
      type: 'float32',
      get data(): Float32Array {
        throw new Error('not on the CPU');
      },
      getData: async () => Float32Array.of(3),
    };
    expect(() => tensorOf(there, 'x')).toThrow(
      /x: cannot be read: not on the CPU.*on a device, await rec\.addAsync/,
    );
    expect((await tensorOfAsync(there, 'x')).data[0]).toBe(3);
  });

  it.each([
    [{ data: six, shape: [4] }, /6 elements do not fill shape \[4\]/],
    [{ data: six, shape: [2, 3], dtype: 'int32' }, /says int32 and holds float32/],
    ['text', /is not a tensor/],
    [{}, /is not a tensor/],
    [[[1], [2, 3]], /x: its lists do not fill a shape: item 0 is \[1\], item 1 \[2\]; give lists/],
    // As many numbers as three lists of two: only their lengths tell.
    [[[1, 2], [3], [4, 5, 6]], /item 0 is \[2\], item 1 \[1\]/],
    [[1, [2]], /item 0 is \[\], item 1 \[1\]/],
    [['1', '2'], /is not a tensor/],
    [[true, 1], /is not a tensor/],
    [[1, 2n], /is not a tensor/],
    [[Float32Array.of(1, 2)], /is not a tensor/],
    [{ data: [1, null], shape: [2] }, /is not a tensor/],
    [{ data: six, shape: [-2, -3] }, /do not fill shape/],
    [new OrtTensor('string', ['1'], [1]), /is not a tensor/],
    [null, /is not a tensor/],
  ])('that is not a tensor is refused', (value, why) => {
    expect(() => tensorOf(value as never, 'x')).toThrow(why);
  });
});
