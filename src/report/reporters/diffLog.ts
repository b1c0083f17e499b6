import type { Check, Verdict } from '../../align/judge/verdict.ts';
import { reprodMethods } from '../../align/measure/reprodMeasures.ts';
import type { StageResult } from '../../align/stages/stage.ts';
import { oneLine } from '../../io/names.ts';
import { causeLines } from '../causes.ts';
import { pythonFloat } from '../pythonFloat.ts';
import { logText, verdictLine } from '../reprodLogLines.ts';

/** Where the numbers come from: what a reader needs to run it again. */
export interface Provenance {
  /** "ort cpu: ONNX Runtime 1.30.0, CPU" */
  readonly ours: string;
  /** "PyTorch 2.13.0+cpu" */
  readonly theirs: string;
  /** Path below fixtures/ → SHA-256. */
  readonly hashes: Readonly<Record<string, string>>;
}

/** What each method says, for the head of a log. */
export const methodMeaning: { readonly [M in Check['method']]: string } = {
  mean: 'mean |A - B|',
  max: 'largest |A - B|',
  min: 'smallest |A - B|',
  relative: '||A - B|| / ||B||',
  cosine: '1 - cosine of the angle between A and B',
  allclose: 'largest |A - B| / (atol + rtol |B|)',
  'relative l2': '||a - t|| / ||t|| to t, PyTorch in float64',
  ratio:
    "that error in units of PyTorch's own float32 error there (its largest in several orders of summation, where few elements are held), or of one float32 rounding where that is less",
  scaled: 'RMS of a - t over the named scale, for tensors that are zero but for rounding',
  ulp: 'largest difference in units of the last place (in stages: of the largest term added up)',
  moments:
    'sum, sum of squares, min and max of all elements, as a share of what relative l2 allows',
  equal: 'how many differ',
};

const range = (values: readonly number[]): string => {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? pythonFloat(low) : `${pythonFloat(low)} to ${pythonFloat(high)}`;
};

function methodLines(verdicts: readonly Verdict[]): string[] {
  const checks = verdicts.flatMap((v) => v.checks);
  const methods = [...new Set(checks.map((c) => c.method))];
  return methods.map((method) => {
    const thresholds = checks.filter((c) => c.method === method).map((c) => c.threshold);
    return `method: ${method} diff = ${methodMeaning[method]}; threshold ${range(thresholds)}`;
  });
}

function checkLine(check: Check): string {
  const { method, threshold, pytorch, note } = check;
  const more = [
    `threshold: ${pythonFloat(threshold)}`,
    ...(pytorch === undefined ? [] : [`pytorch: ${pythonFloat(pytorch)}`]),
    ...(note === undefined ? [] : [note]),
  ];
  // reprod_log's own measures keep reprod_log's own line
  return note === undefined && reprodMethods.some((own) => own === method)
    ? verdictLine(check)
    : `${verdictLine(check)}, ${more.join(', ')}`;
}

/**
 * A stage as reprod_log would have logged it: the same lines for every key, after lines that say by which
 * method, to which threshold and from which inputs.
 */
export function diffLog(result: StageResult<string>, provenance: Provenance, time: Date): string {
  const lines = [
    `${result.stage} of ${result.model}: ${provenance.ours} against ${provenance.theirs}`,
    ...methodLines(result.verdicts),
    ...result.inputs.map((path) => `input: ${path} sha256 ${provenance.hashes[path]}`),
    ...result.notes.map((note) => `note: ${note}`),
  ];
  for (const { name, checks, problem } of result.verdicts) {
    lines.push(`${oneLine(name)}: `);
    if (problem !== undefined) lines.push(`\tcheck passed: False, ${problem}`);
    for (const check of checks) lines.push(checkLine(check));
  }
  lines.push(...causeLines(result.verdicts).map((line) => `diagnosis: ${line}`));
  lines.push(`diff check ${result.passed ? 'passed' : 'failed'}`);
  return logText(lines, time);
}
