import { shortNumber } from '../../shortNumber.ts';

/** A number as a column sorts it; nothing where there is none. */
export function cellNumber(x: number | undefined): string {
  if (x === undefined) return '';
  if (Number.isNaN(x)) return 'NaN';
  if (!Number.isFinite(x)) return x > 0 ? '∞' : '-∞';
  return Number.isInteger(x) && Math.abs(x) < 1e6 ? String(x) : shortNumber(x);
}

/** How much of a limit is used up; a limit of nothing has no share. */
export function percent(share: number, limit: number): string {
  if (limit === 0) return '';
  if (!Number.isFinite(share)) return '∞';
  const value = 100 * share;
  return value === 0 || value >= 0.1 ? shortNumber(Number(value.toPrecision(2))) : '< 0.1';
}

/** An outcome is told by a sign and a word, and by colour besides. */
export const outcomeWords = { passed: '✓ passed', failed: '✗ failed' } as const;
