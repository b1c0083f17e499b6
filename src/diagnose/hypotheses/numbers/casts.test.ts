import { expect, it } from 'vitest';
import { causeOf, heldOf, numbersFrom, suspectOf } from '../../testdata/suspects.ts';

const wide = numbersFrom(21, 400).map((x) => 300 * x);
const said = (ours: Float64Array, truth = wide) =>
  causeOf(suspectOf(heldOf('pixels', [20, 20], truth), ours));

it.each<[string, (values: Float64Array) => ArrayLike<number>, RegExp]>([
  ['uint8', (v) => Uint8Array.from(v), /^kept in uint8: .* by 256$/],
  ['int8', (v) => Int8Array.from(v), /^kept in int8: .* by 256$/],
  ['a clamped array', (v) => v.map((x) => Math.min(255, Math.max(0, x))), /^clipped to 0 … 255$/],
  ['int32', (v) => Int32Array.from(v), /^cut to integers, towards zero$/],
  ['floor', (v) => v.map(Math.floor), /^rounded down to integers$/],
  ['round', (v) => v.map(Math.round), /^rounded to integers$/],
])('numbers put into %s', (_, put, says) => {
  expect(said(Float64Array.from(put(wide)))).toMatch(says);
});

it('integers that wrap round', () => {
  const integers = wide.map(Math.round);
  expect(said(Float64Array.from(Uint8Array.from(integers)), integers)).toMatch(/^kept in uint8/);
});

it('integers that are cut where the reference rounds', () => {
  expect(said(wide.map(Math.trunc), wide.map(Math.round))).toMatch(
    /^integers, \d+ of 400 one nearer to zero: cut where the reference rounds$/,
  );
});

it('nothing of integers that are others', () => {
  const ours = wide.map((x, i) => Math.round(x + 2 * Math.sin(i / 7)));
  expect(said(ours)).toBeUndefined();
});
