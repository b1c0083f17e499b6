import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../../tensor/shape.ts';
import { coordinates, placeOf } from './place.ts';

const shape = [4, 3, 5, 6];
const all = Array.from({ length: sizeOf(shape) }, (_, i) => i);
const where = (wrong: (point: readonly number[]) => boolean): string =>
  placeOf(
    all.filter((i) => wrong(coordinates(i, shape))),
    all,
    shape,
    'NCHW',
  );

describe('where wrong elements lie', () => {
  it('is said in the words of the axis', () => {
    expect(where(() => true)).toBe('everywhere');
    expect(where(([n]) => n === 3)).toBe('only in image 3, the last');
    expect(where(([, c]) => c === 1)).toBe('only in channel 1');
    expect(where(([n, c]) => n === 0 && c === 2)).toBe('only in image 0; channel 2, the last');
    expect(where(([n]) => n === 0 || n === 2)).toBe('only in images 0, 2 (2 of 4)');
    expect(where(([, , h, w]) => h === 0 || h === 4 || w === 0 || w === 5)).toBe(
      'only at the border',
    );
    expect(where(([, , h, w]) => h === 4 || w === 5)).toBe(
      'only in the last row and the last column',
    );
    expect(where(([n, c, h, w]) => (n + c + h + w) % 2 === 0)).toBe('scattered');
    expect(where(([n, c, h, w]) => n + c + h + w === 0)).toBe('one element');
    expect(where(([n, c, h, w]) => n + c + h + w > 0)).toBe('nearly everywhere');
  });

  it('says how deep a border is', () => {
    const maps = [2, 8, 8];
    const places = Array.from({ length: sizeOf(maps) }, (_, i) => i);
    const wrong = places.filter((i) => {
      const [, h, w] = coordinates(i, maps);
      return Math.min(h, w, 7 - h, 7 - w) < 2;
    });
    expect(placeOf(wrong, places, maps)).toBe('only at the border, 2 deep');
  });

  it('counts axes where nobody names them', () => {
    expect(placeOf([0, 1, 2], [0, 1, 2, 3, 4, 5], [2, 3])).toBe('only in axis 0 = 0');
  });

  it('names an index of an axis exactly where all wrong elements share it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 }), (n, c) => {
        const found = where((p) => p[0] === n && p[1] === c);
        expect(found).toContain(`image ${n}`);
        expect(found).toContain(`channel ${c}`);
      }),
    );
  });
});
