/**
 * The same single-op cases through any backend and through the float64 oracle: what a new backend, or
 * a new device, has to pass before a whole training step says anything.
 */

import type { Backend } from '../../src/backends/backend.ts';
import { evaluate } from '../../src/backends/oracle/execute.ts';
import { floats, fromTensor, toTensor, type Value } from '../../src/backends/oracle/value.ts';
import type { Program } from '../../src/program/program.ts';
import { formatShape, sameShape } from '../../src/tensor/shape.ts';
import { type Tensor, type TensorMap, toFloat64 } from '../../src/tensor/tensor.ts';
import { edgeCases } from './edgeCases.ts';
import { type CaseOp, caseOps, type OpCase, randomCase } from './opCases.ts';

/** Half a unit in the last place, times what a reduction in any order may lose. */
const tolerances = { float32: 16 * 2 ** -24, float64: 16 * 2 ** -53 } as const;

const map = (x: Value, f: (v: number, i: number) => number): Value =>
  floats(x.shape, x.data.map(f));
const abs = (x: Value): Value => map(x, Math.abs);
const minusAbs = (x: Value): Value => map(x, (v) => -Math.abs(v));

type Run = (operands: readonly Value[]) => Value;

/** How large the numbers are that were added up: the op on its operands without their signs. */
const ofTerms = (operands: readonly Value[], run: Run): Value => run(operands.map(abs));
/**
 * The same, the largest of each map or kernel: transforms (Winograd, FFT) compute neighbours from shared sums, so the
 * rounding of a large one reaches a small one beside it.
 */
const ofNeighbours = (operands: readonly Value[], run: Run): Value => {
  const terms = ofTerms(operands, run);
  const size = terms.shape[2] * terms.shape[3];
  return map(terms, (_, i) => {
    const start = i - (i % size);
    return terms.data.subarray(start, start + size).reduce((a, b) => Math.max(a, b));
  });
};
/** Nothing is added up: an element's error goes with its own size. */
const ofResult = (operands: readonly Value[], run: Run): Value => abs(run(operands));

/** The scale that an element's rounding error is measured by. */
const magnitudes: { readonly [K in CaseOp]: (operands: readonly Value[], run: Run) => Value } = {
  add: ofTerms,
  sub: ([a, b], run) => run([abs(a), minusAbs(b)]),
  mul: ofResult,
  div: ofResult,
  neg: ofResult,
  // eˣ⁽¹⁺ᵟ⁾ = eˣ·(1 + x·δ)
  exp: ([x], run) => map(run([x]), (v, i) => v * (1 + Math.abs(x.data[i]))),
  sqrt: ofResult,
  relu: ofResult,
  reluGrad: ofResult,
  equal: ofResult,
  matmul: ofTerms,
  conv2d: ofNeighbours,
  conv2dInputGrad: ofNeighbours,
  conv2dWeightGrad: ofNeighbours,
  maxPool2d: ofResult,
  maxPool2dGrad: ([x, dy], run) => run([x, abs(dy)]),
  avgPool2d: ofTerms,
  avgPool2dGrad: ofTerms,
  batchNorm: ([x, weight, bias, mean, variance], run) =>
    run([abs(x), abs(weight), abs(bias), minusAbs(mean), variance]),
  reshape: ofResult,
  transpose: ofResult,
  broadcastTo: ofResult,
  reduceSum: ofTerms,
  logSoftmax: ([x], run) => {
    const largest = abs(x).data.reduce((a, b) => Math.max(a, b), 1);
    return map(run([x]), (v) => Math.abs(v) + largest);
  },
  oneHot: ofResult,
  argMax: ofResult,
};

/** Every edge case, and `perOp` random ones of each op. */
export const agreementCases = (
  perOp: number,
  ops: readonly CaseOp[] = caseOps,
): readonly OpCase[] => [
  ...edgeCases.filter(({ op }) => ops.includes(op)),
  ...ops.flatMap((op) => Array.from({ length: perOp }, (_, seed) => randomCase(op, seed))),
];

function programOf({ y, name }: OpCase): Program {
  const inputs = y.inputs.flatMap((x) => (x.op === 'input' ? [[x.params.name, x] as const] : []));
  return { name, inputs: new Map(inputs), state: new Map(), fetches: new Map([['y', y]]) };
}

async function runOn(backend: Backend, opCase: OpCase, inputs: TensorMap): Promise<Tensor> {
  const executable = await backend.compile(programOf(opCase), ['y']);
  try {
    return (await executable.run(new Map(), inputs)).get('y')!;
  } finally {
    await executable.dispose();
  }
}

/** What is wrong with a backend's result, or undefined. */
function complaint(opCase: OpCase, result: Tensor, tolerance: number): string | undefined {
  const { y, op, feeds } = opCase;
  const operands = [...feeds].map(([name, t]) => fromTensor(name, t));
  const run: Run = (values) => evaluate(y as Parameters<typeof evaluate>[0], values);
  const expected = run(operands);
  if (!sameShape(result.shape, expected.shape)) {
    return `shape ${formatShape(result.shape)} instead of ${formatShape(expected.shape)}`;
  }
  const wanted = toTensor(expected).dtype;
  if ((wanted === 'int64') !== (result.dtype === 'int64')) {
    return `${result.dtype} instead of ${wanted}`;
  }
  const values = toFloat64(result);
  const scale = magnitudes[op](operands, run).data;
  for (let i = 0; i < values.length; i++) {
    const allowed = expected.dtype === 'int' ? 0 : tolerance * scale[i];
    // written so that NaN on either side is a disagreement
    if (!(Math.abs(values[i] - expected.data[i]) <= allowed)) {
      return `element ${i} is ${values[i]}, the oracle has ${expected.data[i]} ± ${allowed}`;
    }
  }
  return undefined;
}

/**
 * Runs the cases on `backend` and compares with the oracle, element by element: integers exactly, floats
 * to a few units in the last place of the largest numbers that were added up.
 *
 * Answers one line for every case that disagrees or fails; none when all agree.
 */
export async function agree(
  backend: Backend,
  cases: readonly OpCase[] = agreementCases(8),
): Promise<readonly string[]> {
  const complaints: string[] = [];
  for (const opCase of cases) {
    const shapes = [...opCase.feeds.values()].map(({ shape }) => formatShape(shape)).join(' ');
    const where = `${opCase.name} ${shapes} ${JSON.stringify(opCase.y.params)}`;
    try {
      const result = await runOn(backend, opCase, opCase.feeds);
      const wrong = complaint(opCase, result, tolerances[backend.precision]);
      if (wrong !== undefined) complaints.push(`${where}: ${wrong}`);
    } catch (error) {
      complaints.push(`${where}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return complaints;
}
