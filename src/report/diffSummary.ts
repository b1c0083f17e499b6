import type { StageResult } from '../align/stage.ts';
import { type Check, passed, type Verdict } from '../align/verdict.ts';

const short = (x: number): string =>
  x === 0 || (Math.abs(x) >= 0.01 && Math.abs(x) < 1000)
    ? String(Number(x.toPrecision(3)))
    : x.toExponential(1);

const share = ({ value, threshold }: Check): number =>
  threshold === 0 ? value : value / threshold;

/** The check that came closest to its threshold, by method. */
function closest(verdicts: readonly Verdict[]): [Verdict, Check][] {
  const worst = new Map<string, [Verdict, Check]>();
  for (const verdict of verdicts) {
    for (const check of verdict.checks) {
      const known = worst.get(check.method);
      if (known === undefined || share(check) > share(known[1])) {
        worst.set(check.method, [verdict, check]);
      }
    }
  }
  return [...worst.values()];
}

const isExact = ({ method }: Check): boolean => method === 'equal';

function describe([verdict, { method, value, threshold, pytorch }]: [Verdict, Check]): string {
  const own = pytorch === undefined ? '' : `, PyTorch's own ${short(pytorch)}`;
  return `${method} ≤ ${short(value)} of ${short(threshold)} (${verdict.name}${own})`;
}

/** Why a verdict failed, in one line. */
export function failure({ name: tensor, layer, problem, checks }: Verdict): string {
  const name = layer === undefined || layer === tensor ? tensor : `${tensor}, made by ${layer}`;
  if (problem !== undefined) return `${name}: ${problem}`;
  const bad = checks.filter((c) => !c.passed);
  const reasons = bad.map(
    ({ method, value, threshold, note }) =>
      `${method} ${short(value)} > ${short(threshold)}${note === undefined ? '' : ` (${note})`}`,
  );
  return `${name}: ${reasons.join('; ') || 'nothing was checked'}`;
}

const shownFailures = 5;

/** A stage in a few lines for the terminal: how much was checked, what came closest, what failed. */
export function stageSummary(result: StageResult): string[] {
  const { verdicts, notes, stage, seconds } = result;
  const failed = verdicts.filter((v) => !passed(v));
  const exact = verdicts.filter((v) => v.checks.some(isExact));
  const head = `  ${result.passed ? '✓' : '✗'} ${stage.padEnd(9)}${verdicts.length} checked${
    exact.length === 0 ? '' : `, ${exact.length} of them to the bit`
  }, ${failed.length} failed  ${seconds.toFixed(1)} s`;
  const inner = closest(verdicts)
    .filter(([, c]) => !isExact(c) && c.method !== 'moments')
    .map(describe);
  const failures = failed.slice(0, shownFailures).map((v) => `✗ ${failure(v)}`);
  const hidden = failed.length - failures.length;
  return [
    head,
    ...[...inner, ...notes, ...failures, ...(hidden > 0 ? [`… and ${hidden} more`] : [])].map(
      (line) => `      ${line}`,
    ),
  ];
}
