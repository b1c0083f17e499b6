import { type Check, passed, type Verdict } from '../align/judge/verdict.ts';
import type { StageResult } from '../align/stages/stage.ts';
import { oneLine } from '../io/names.ts';
import { shortNumber } from '../shortNumber.ts';
import { byCause, namesAlike } from './causes.ts';
import { ownFirst } from './diffReport.ts';
import { roundingOf, roundingWords } from './rounding.ts';
import { whyFailed } from './whyFailed.ts';

/** How much of what is allowed a check uses up: 1 at its limit, without end for NaN. */
export const shareOfLimit = ({ value, threshold }: Check): number => {
  if (Number.isNaN(value)) return Number.POSITIVE_INFINITY;
  return threshold === 0 ? value : value / threshold;
};

/** The check that came closest to its threshold, by method. */
function closest(verdicts: readonly Verdict[]): [Verdict, Check][] {
  const worst = new Map<string, [Verdict, Check]>();
  for (const verdict of verdicts) {
    for (const check of verdict.checks) {
      const known = worst.get(check.method);
      if (known === undefined || shareOfLimit(check) > shareOfLimit(known[1])) {
        worst.set(check.method, [verdict, check]);
      }
    }
  }
  return [...worst.values()];
}

const isExact = ({ method }: Check): boolean => method === 'equal';

function describe([verdict, { method, value, threshold, pytorch }]: [Verdict, Check]): string {
  const own = pytorch === undefined ? '' : `, PyTorch's own ${shortNumber(pytorch)}`;
  return `${method} ≤ ${shortNumber(value)} of ${shortNumber(threshold)} (${oneLine(verdict.name)}${own})`;
}

/** The check that came closest to its limit, exact ones aside: `relative l2 5.6e-7 of 5.0e-6 (features.30)`. */
export function closestOf(verdicts: readonly Verdict[]): string | undefined {
  const measured = closest(verdicts).filter(([, c]) => !isExact(c) && c.method !== 'moments');
  const [first] = measured.sort(([, a], [, b]) => shareOfLimit(b) - shareOfLimit(a));
  if (first === undefined) return undefined;
  const [{ name }, { method, value, threshold }] = first;
  return `${method} ${shortNumber(value)} of ${shortNumber(threshold)} (${oneLine(name)})`;
}

const shownFailures = 5;

/** A stage in a few lines for the terminal: how much was checked, what came closest, what failed. */
export function stageSummary(result: StageResult<string>): string[] {
  const { verdicts, notes, stage, seconds } = result;
  const failed = verdicts.filter((v) => !passed(v));
  const exact = verdicts.filter((v) => v.checks.some(isExact));
  const head = `  ${result.passed ? '✓' : '✗'} ${stage.padEnd(9)}${verdicts.length} checked${
    exact.length === 0 ? '' : `, ${exact.length} of them to the bit`
  }, ${failed.length} failed  ${seconds.toFixed(1)} s`;
  const inner = closest(verdicts)
    .filter(([, c]) => !isExact(c) && c.method !== 'moments')
    .map(describe);
  const rounding = roundingOf(verdicts);
  const overridden = verdicts.flatMap(({ name, override }) =>
    override === undefined
      ? []
      : [`${name}: limit ${shortNumber(override.limit)} by hand: ${override.reason}`],
  );
  const groups = byCause(ownFirst(failed)).slice(0, shownFailures);
  const failures =
    verdicts.length === 0 && !result.passed
      ? ['✗ nothing was checked: the reference holds nothing for this stage']
      : groups.map((alike) => `✗ ${namesAlike(alike)}: ${whyFailed(alike.first)}`);
  const hidden = failed.length - groups.reduce((sum, { all }) => sum + all.length, 0);
  return [
    head,
    ...[
      ...inner,
      ...(rounding === undefined ? [] : [`rounding ${roundingWords(rounding)}`]),
      ...overridden,
      ...notes,
      ...failures,
      ...(hidden > 0 ? [`… and ${hidden} more`] : []),
    ].map((line) => `      ${line}`),
  ];
}
