import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assign, impossible } from './assign.ts';

/** The best sum and how many pairs it has, by trying all. */
function bestOfAll(scores: readonly number[][], columns: number): [number, number] {
  const from = (row: number, used: ReadonlySet<number>): [number, number] => {
    if (row === scores.length) return [0, 0];
    const options = Array.from({ length: columns }, (_, j) => j)
      .filter((j) => !used.has(j) && scores[row][j] > impossible)
      .map((j): [number, number] => {
        const [pairs, sum] = from(row + 1, new Set([...used, j]));
        return [pairs + 1, sum + scores[row][j]];
      });
    return [from(row + 1, used), ...options].reduce((a, b) =>
      b[0] > a[0] || (b[0] === a[0] && b[1] > a[1]) ? b : a,
    );
  };
  return from(0, new Set());
}

describe('an assignment', () => {
  it('has as many pairs as there can be, and the largest sum of these', () => {
    const size = fc.integer({ min: 1, max: 5 });
    const score = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constant(impossible));
    const table = fc.tuple(size, size).chain(([rows, columns]) =>
      fc.array(fc.array(score, { minLength: columns, maxLength: columns }), {
        minLength: rows,
        maxLength: rows,
      }),
    );
    fc.assert(
      fc.property(table, (scores) => {
        const columns = scores[0].length;
        const pairs = assign(scores.length, columns, (i, j) => scores[i][j]);
        expect(new Set(pairs.map(([i]) => i)).size).toBe(pairs.length);
        expect(new Set(pairs.map(([, j]) => j)).size).toBe(pairs.length);
        const sum = pairs.reduce((total, [i, j]) => total + scores[i][j], 0);
        expect([pairs.length, sum]).toEqual(bestOfAll(scores, columns));
      }),
    );
  });

  it('of nothing is nothing', () => {
    expect(assign(0, 3, () => 1)).toEqual([]);
    expect(assign(3, 0, () => 1)).toEqual([]);
  });

  it('of very many finds those that clearly belong together', () => {
    const pairs = assign(900, 700, (i, j) => (i === 899 - j ? 2 : ((i * 31 + j * 17) % 97) / 97));
    expect(pairs).toHaveLength(700);
    for (const [i, j] of pairs) expect(i).toBe(899 - j);
  });
});
