import type { Backend } from '../../backends/backend.ts';
import type { Tensor, TensorMap } from '../../tensor/tensor.ts';
import { byFloat64 } from '../judge/float64.ts';
import { tolerances } from '../judge/tolerances.ts';
import { type Check, check, passed, type Verdict } from '../judge/verdict.ts';
import { distances } from '../measure/distance.ts';
import { relativeError } from '../measure/relativeError.ts';
import { recorded } from '../reference/recorded.ts';
import type { RecordedBatch } from '../reference/recordedBatch.ts';
import { describeFlips } from './flips.ts';
import { type ImposedTruth, imposedProducts, imposedTruth } from './imposedTruth.ts';

/** What the batch's iterations gave on our side, and by what it was judged. */
export interface JudgedIterations {
  readonly verdicts: readonly Verdict[];
  /** Our whole tensors by their verdicts' names: `iter0/features.0.weight.grad`, `final/…`. */
  readonly found: TensorMap;
  readonly arrays: TensorMap;
  readonly scaleOf: (name: string) => number | undefined;
  readonly start: TensorMap;
  readonly iterations: number;
  readonly bar: number;
}

/** Who looks, and how far he may go. */
export interface Look {
  readonly backend: Backend;
  readonly oracle: Backend;
  /** However long it takes. */
  readonly unbounded?: boolean;
  readonly progress?: (text: string) => void;
}

/** Products the oracle may add up unasked: two minutes of a slow machine's. */
const mostProducts = 4e10;

const shortCount = (n: number): string => `${Math.round(n / 1e9)} billion`;

type Imposed = Exclude<ImposedTruth, { beyond: unknown }>;

/** The imposed truth under the verdicts' names. */
const named = ({ iterations, final }: Imposed): ReadonlyMap<string, Tensor> =>
  new Map([
    ...iterations.flatMap(({ imposed }, k) =>
      [...imposed].map(([name, value]): [string, Tensor] => [`iter${k}/${name}`, value]),
    ),
    ...[...final].map(([name, value]): [string, Tensor] => [`final/${name}`, value]),
  ]);

/** The oracle must repeat PyTorch's first float64 gradients before its word counts against theirs. */
const oracleProven = (
  { iterations: [first] }: Imposed,
  { arrays, scaleOf }: JudgedIterations,
): boolean =>
  [...first.plain].every(([name, value]) => {
    const key = `iter0/${name}`;
    const record = recorded(arrays, key);
    if (record === undefined || !name.endsWith('.grad')) return true;
    const scale = scaleOf(key);
    const tolerance = {
      relativeL2: tolerances.oracle,
      ...(scale === undefined ? {} : { scale: { value: scale, what: '' } }),
    };
    return passed(byFloat64(value, { kind: 'float64', record, tolerance }).finding);
  });

/**
 * Looks again at tensors that differ: where rounding took decisions the other way, and nothing but such
 * decisions differs, they are judged against the truth with these decisions imposed. A wrong gradient
 * does not agree with that one either. PyTorch's own error is no yardstick here, since it may have flipped
 * decisions of its own: the upper bound is.
 */
export async function judgeFlipped(
  look: Look,
  batch: RecordedBatch,
  judged: JudgedIterations,
): Promise<{ readonly verdicts: readonly Verdict[]; readonly notes: readonly string[] }> {
  const { verdicts, found, scaleOf, start, iterations, bar } = judged;
  const fetches = [...batch.program.fetches.keys()].filter((name) => found.has(`iter0/${name}`));
  const settings = { iterations, fetches, bar, ...(look.progress && { progress: look.progress }) };
  const products = imposedProducts(batch, settings);
  if (products > mostProducts && look.unbounded !== true) {
    return {
      verdicts,
      notes: [
        `not checked: whether rounding flipped decisions, which would excuse the difference. The float64 oracle would add up ${shortCount(products)} products, which takes minutes; --flips runs it`,
      ],
    };
  }
  const truth = await imposedTruth(look, batch, start, settings);
  if ('beyond' in truth) {
    const what = `${truth.beyond.length} decisions differ from the truth's beyond rounding`;
    return { verdicts, notes: [`${what}: ${describeFlips(truth.beyond)}`] };
  }
  const flips = truth.iterations.flatMap(({ apart }) => apart.flips);
  if (flips.length === 0) return { verdicts, notes: ['no decision was taken the other way'] };
  if (!oracleProven(truth, judged)) {
    return {
      verdicts,
      notes: [
        "the float64 oracle does not repeat PyTorch's float64 gradients: no flip excuses that",
      ],
    };
  }
  const imposed = named(truth);
  const note = `to the truth with our ${flips.length} flipped decisions imposed`;
  const againstImposed = ({ name, checks }: Verdict, ours: Tensor, value: Tensor): Check => {
    const [{ method, threshold }] = checks;
    if (method === 'mean')
      return check(method, distances(ours, value).meanAbs, threshold, { note });
    return check(method, relativeError(ours, value, scaleOf(name)), bar, { note });
  };
  return {
    verdicts: verdicts.map((verdict): Verdict => {
      const [ours, value] = [found.get(verdict.name), imposed.get(verdict.name)];
      const { problem } = verdict;
      if (passed(verdict) || problem !== undefined || !ours || !value) return verdict;
      return { ...verdict, checks: [againstImposed(verdict, ours, value)], flips };
    }),
    notes: [`rounding took ${flips.length} decisions the other way: ${describeFlips(flips)}`],
  };
}
