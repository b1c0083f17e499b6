import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bell, causeOf, type Planted, smoothly } from '../../testdata/told.ts';

const { fround } = Math;
const count = 12;
const runs = { numRuns: 40 };

/** Gradients of two to four ranks. */
const owns = fc
  .integer({ min: 2, max: 4 })
  .chain((ranks) => fc.array(bell(count), { minLength: ranks, maxLength: ranks }));

type Own = readonly Float32Array[];
type Row = (own: Own, rank: number) => ArrayLike<number>;

const inTurn = (terms: readonly number[]): number => terms.reduce((a, b) => fround(a + b));

/** As gloo adds a bucket of one chunk: the last rank first. */
const meanOf: Row = (own) =>
  own[0].map((_, i) => inTurn(own.map((g) => fround(g[i] * fround(1 / own.length))).reverse()));

const rowsOf = (own: Own, row: Row): number[] =>
  own.flatMap((_, rank) => [...Array.from(row(own, rank))]);

/** What is said where each rank got `row` for the mean. */
function said(own: Own, row: Row): string | undefined {
  const name = `${own.length} ranks, step 1/fc.weight.grad`;
  const shape = [own.length, count];
  const mean: Planted = {
    ...{ name, shape, kind: 'weight gradient' },
    ...{ truth: rowsOf(own, meanOf), ours: rowsOf(own, row) },
  };
  return causeOf([mean], { ranks: () => own.map((g) => Float64Array.from(g)) });
}

const combined =
  (shares: (rank: number, ranks: number) => readonly number[]): Row =>
  (own, rank) =>
    own[0].map((_, i) => inTurn(shares(rank, own.length).map((s, k) => fround(s * own[k][i]))));

const filled = (ranks: number, of: (k: number) => number): number[] =>
  Array.from({ length: ranks }, (_, k) => of(k));

const holds = (check: (own: Own) => void): void => fc.assert(fc.property(owns, check), runs);

describe('a mean over ranks that is', () => {
  it('summed, or divided twice', () => {
    holds((own) => {
      const n = own.length;
      const summed = said(own, (all, rank) => Array.from(meanOf(all, rank), (x) => fround(x * n)));
      expect(summed).toBe(`${n} × the reference's: summed over ${n} ranks, not averaged`);
      const twice = said(own, (all, rank) => Array.from(meanOf(all, rank), (x) => fround(x / n)));
      expect(twice).toMatch(/^0\.\d+ × the reference's: divided by the \d ranks twice$/);
    });
  });

  it("each rank's own, on all ranks or on one", () => {
    holds((own) => {
      expect(said(own, (all, rank) => all[rank])).toBe("each rank's own gradient: not reduced");
      const one = said(own, (all, rank) => (rank === 1 ? all[1] : meanOf(all, rank)));
      expect(one).toBe("each rank's own gradient: not reduced on rank 1");
    });
  });

  it('made without one rank', () => {
    holds((own) => {
      const missing = said(
        own,
        combined((_, n) => filled(n, (k) => (k === 0 ? 0 : 1 / n))),
      );
      expect(missing).toMatch(
        /^the gradients of rank 0 are missing in the sum, which is divided by \d all the same$/,
      );
      const left = said(
        own,
        combined((_, n) => filled(n, (k) => (k === 0 ? 0 : 1 / (n - 1)))),
      );
      expect(left).toMatch(
        /rank 0 is left out$|^rank 1's gradient alone: the mean leaves out rank 0$/,
      );
    });
  });

  it('made with one rank twice', () => {
    holds((own) => {
      const twice = said(
        own,
        combined((_, n) => filled(n, (k) => (k === 1 ? 2 : 1) / n)),
      );
      expect(twice).toBe('the gradients of rank 1 are counted twice');
      const more = said(
        own,
        combined((_, n) => filled(n, (k) => (k === 1 ? 2 : 1) / (n + 1))),
      );
      expect(more).toMatch(
        /^the gradients of rank 1 are counted twice, as if there were \d ranks$/,
      );
    });
  });

  it('added up in another order, or divided after the sum', () => {
    const three = fc.array(bell(count), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(three, (own) => {
        const shares = (i: number): number[] => own.map((g) => fround(g[i] * fround(1 / 3)));
        const turned = said(own, () => own[0].map((_, i) => inTurn(shares(i))));
        expect(turned).toMatch(/added up in the order of the ranks, not in gloo's/);
        const mixed = said(own, () =>
          own[0].map((_, i) => {
            const [a, b, c] = shares(i);
            return inTurn(i % 2 ? [a, c, b] : [a, b, c]);
          }),
        );
        expect(mixed).toMatch(/order of the ranks/);
        const behind = said(own, () =>
          own[0].map((_, i) => fround(inTurn(own.map((g) => g[i]).reverse()) / 3)),
        );
        expect(behind).toMatch(/divided after the sum|order of the ranks/);
      }),
      runs,
    );
  });
});

describe('no false comfort: a mean over ranks that', () => {
  const told = /rank|reduced|summed over|divided/;

  it('is off smoothly is none of these', () => {
    fc.assert(
      fc.property(owns, fc.constantFrom(1e-5, 1e-3, 0.1, 0.5), (own, off) => {
        const row: Row = (all, rank) => smoothly(meanOf(all, rank), off, all[0][0]);
        expect(said(own, row) ?? '').not.toMatch(told);
      }),
      { numRuns: 200 },
    );
  });

  it('is mixed of all by other shares is none of these', () => {
    const share = fc.double({ min: 0.05, max: 0.95, noNaN: true });
    fc.assert(
      fc.property(owns, fc.array(share, { minLength: 4, maxLength: 4 }), (own, shares) => {
        const named = (x: number): boolean =>
          [1, 1 / 2, 1 / 3, 1 / 4, 2 / 3, 2 / 5].some((known) => Math.abs(x - known) < 1e-3);
        fc.pre(!shares.some(named));
        const row = combined((_, n) => shares.slice(0, n));
        expect(said(own, row) ?? '').not.toMatch(told);
      }),
      { numRuns: 200 },
    );
  });

  it('is of numbers that ranks did not give is none of these', () => {
    fc.assert(
      fc.property(owns, bell(count), (own, other) => {
        expect(said(own, () => other) ?? '').not.toMatch(told);
      }),
      { numRuns: 200 },
    );
  });
});

describe('running statistics', () => {
  /** Rank 0's and rank 1's after a step: nine tenths of what it began with, and a tenth of their batch's. */
  const stepped = (began: Float32Array, batch: Float32Array): Float64Array =>
    Float64Array.from(began, (x, i) => fround(0.9 * x + 0.1 * batch[i]));

  const planted = (
    [began, a, b]: readonly Float32Array[],
    ours: readonly [Float64Array, Float64Array],
  ): Planted[] =>
    ['2 ranks', '2 ranks, rank 1'].map((prefix, k) => ({
      ...{ name: `${prefix}/bn.running_mean`, shape: [count], kind: 'buffer' },
      ...{ truth: stepped(began, [a, b][k]), ours: ours[k] },
    }));

  it("that began with others than rank 0's are told on every rank", () => {
    fc.assert(
      fc.property(bell(count), bell(count), bell(count), bell(count), (began, other, a, b) => {
        const all = planted([began, a, b], [stepped(other, a), stepped(other, b)]);
        expect(causeOf(all)).toMatch(/^off by the same on every rank: .* averaged over ranks/);
      }),
      runs,
    );
  });

  it('by another momentum, or wrong on one rank, are not', () => {
    fc.assert(
      fc.property(bell(count), bell(count), bell(count), (began, a, b) => {
        const half = (batch: Float32Array) =>
          Float64Array.from(began, (x, i) => fround(0.5 * x + 0.5 * batch[i]));
        const momentum = planted([began, a, b], [half(a), half(b)]);
        expect(causeOf(momentum) ?? '').not.toMatch(/every rank/);
        const one = planted([began, a, b], [stepped(b, a), stepped(began, b)]);
        expect(causeOf(one) ?? '').not.toMatch(/every rank/);
      }),
      runs,
    );
  });
});
