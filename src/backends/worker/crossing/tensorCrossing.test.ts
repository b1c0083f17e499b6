import { expect, test } from 'vitest';
import { type Tensor, tensor } from '../../../tensor/tensor.ts';
import { givenAway } from '../../givenAway.ts';
import { buffersOf, toSend } from './tensorCrossing.ts';

const view = (data: Float32Array): Tensor => tensor('float32', [data.length], data);
const named = (...all: readonly Float32Array[]) =>
  new Map(all.map((data, i) => [`${i}`, view(data)] as const));

test('what its owner keeps is copied, and the copy goes along', () => {
  const kept = Float32Array.of(1, 2, 3);
  const sent = toSend(named(kept.subarray(1)));
  const there = structuredClone(sent, { transfer: buffersOf(sent) });
  expect(there.get('0')!.data).toEqual(Float32Array.of(2, 3));
  expect(sent.get('0')!.data.length).toBe(0);
  expect(kept).toEqual(Float32Array.of(1, 2, 3));
});

test('what was given away goes along as it lies, a part of its memory too', () => {
  const all = Float32Array.of(1, 2, 3, 4);
  const sent = toSend(givenAway(named(all.subarray(1, 2), all.subarray(2))));
  const there = structuredClone(sent, { transfer: buffersOf(sent) });
  expect([...there.values()].map(({ data }) => [...data])).toEqual([[2], [3, 4]]);
  expect(all.length).toBe(0);
});

test.each([
  ['one piece', [0, 4], true],
  ['pieces one behind the other', [2, 4, 0, 2], true],
  ['pieces that overlap', [0, 3, 1, 4], true],
  ['a piece that leaves the end', [0, 3], false],
  ['the same half twice', [0, 2, 0, 2], false],
  ['pieces with a gap', [0, 1, 2, 4], false],
  ['nothing of it', [2, 2], false],
])('memory that results fill goes along: %s', (_, cuts, goes) => {
  const all = new Float32Array(4);
  const pieces = Array.from({ length: cuts.length / 2 }, (_, i) =>
    all.subarray(cuts[2 * i], cuts[2 * i + 1]),
  );
  expect(buffersOf(named(...pieces))).toEqual(goes ? [all.buffer] : []);
});
