import { describe, expect, it } from 'vitest';
import { coordinates } from '../../../align/judge/place.ts';
import { sizeOf } from '../../../tensor/shape.ts';
import { causeOf, evidenceOf, heldOf, numbersFrom, suspectOf } from '../../testdata/suspects.ts';

const shape = [6, 5, 8, 8];
const truth = numbersFrom(3, sizeOf(shape));
const other = numbersFrom(4, sizeOf(shape));
const held = heldOf('conv.output', shape, truth, { axes: 'NCHW', kind: 'output' });

/** What is said where the elements that `wrong` picks are others. */
const said = (wrong: (index: readonly number[]) => boolean, of = held): string | undefined =>
  causeOf(
    suspectOf(
      of,
      truth.map((x, i) => (wrong(coordinates(i, shape)) ? other[i] : x)),
    ),
  );

const edge =
  (deep: number) =>
  ([, , h, w]: readonly number[]) =>
    Math.min(h, w, 7 - h, 7 - w) < deep;

describe('only a part is wrong', () => {
  it.each<[string, (index: readonly number[]) => boolean]>([
    ['wrong only at the border, 1 deep: padding; all else is right', edge(1)],
    ['wrong only at the border, 2 deep: padding; all else is right', edge(2)],
    [
      'wrong only in the last row and the last column, 1 deep: padding; all else is right',
      ([, , h, w]) => h === 7 || w === 7,
    ],
    ['wrong only in image 5, the last; all else is right', ([n]) => n === 5],
    ['wrong only in channel 2; all else is right', ([, c]) => c === 2],
    ['wrong only in row 0; all else is right', ([, , h]) => h === 0],
    ['wrong only in image 0; channel 1; all else is right', ([n, c]) => n === 0 && c === 1],
    ['wrong only in images 0, 1 (2 of 6); all else is right', ([n]) => n < 2],
  ])('%s', (says, wrong) => {
    expect(said(wrong)).toBe(says);
    const sample = heldOf('conv.output', shape, truth, { axes: 'NCHW', sample: 700 });
    expect(said(wrong, sample)).toBe(says);
  });

  it('one class, where the batch tells which axis is which', () => {
    const logits = numbersFrom(5, 320);
    const head = heldOf('head.output', [32, 10], logits, { kind: 'output' });
    const ours = logits.map((x, i) => (i % 10 === 4 ? 2 * x : x));
    const evidence = evidenceOf([], { batch: 32 });
    expect(causeOf(suspectOf(head, ours), evidence)).toBe(
      'wrong only in axis 1 = 4; all else is right',
    );
  });

  it('nothing is said where half is wrong, where it lies here and there, or a single number', () => {
    expect(said(([n]) => n >= 2)).toBeUndefined();
    expect(said(([n, c, h, w]) => (7 * n + 5 * c + 3 * h + w) % 11 === 0)).toBeUndefined();
    expect(said((index) => index.every((k) => k === 3))).toBeUndefined();
    expect(said(([n]) => n === 0 || n === 3)).toBeUndefined();
  });

  it('nothing is said where all else is zero, and could not have been wrong', () => {
    const sparse = truth.map((x, i) => (coordinates(i, shape)[1] === 2 ? x : 0));
    const one = heldOf('grad', shape, sparse, { axes: 'NCHW' });
    const ours = sparse.map((x, i) => x * (1 + 1e-3 * Math.sin(i / 50)));
    expect(causeOf(suspectOf(one, ours))).toBeUndefined();
    const small = truth.map((x, i) => (coordinates(i, shape)[1] === 2 ? x : 1e-4 * x));
    const faint = heldOf('grad', shape, small, { axes: 'NCHW' });
    const off = small.map((x, i) => x * (1 + 1e-3 * Math.sin(i / 50)));
    expect(causeOf(suspectOf(faint, off))).toBeUndefined();
  });
});

describe('kinks and ties', () => {
  const input = truth.map((x, i) => (i % 9 === 0 ? 0 : x));
  const sources = [heldOf('x', shape, input), heldOf('pairs', shape, input)];
  const from = (name: string) =>
    evidenceOf(sources, { from: (of) => (of === 'conv.output' ? [name] : []) });

  it('only where the input is zero', () => {
    const ours = other.map((x, i) => (input[i] === 0 ? x : truth[i]));
    expect(causeOf(suspectOf(held, ours), from('x'))).toMatch(/^wrong only where x is 0: a kink/);
    const more = ours.map((x, i) => (i % 50 === 1 ? x + 1 : x));
    expect(causeOf(suspectOf(held, more), from('x'))).toBeUndefined();
  });

  it('only where two winners are equal', () => {
    const twins = truth.slice();
    for (let i = 0; i < twins.length; i += 40) twins[i + 1] = twins[i];
    const tied = heldOf('pairs', shape, twins);
    const evidence = evidenceOf([tied], { from: () => ['pairs'] });
    const ours = truth.map((x, i) => (i % 40 < 2 ? x + 1 : x));
    expect(causeOf(suspectOf(held, ours), evidence)).toMatch(
      /^wrong only where pairs has two equal values side by side: a tie/,
    );
  });
});
