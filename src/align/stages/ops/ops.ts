import { gradients } from '../../../autodiff/gradients.ts';
import type { Backend } from '../../../backends/backend.ts';
import { holding } from '../../../backends/holding.ts';
import { argMax, input, logSoftmax, mul, reduceSum } from '../../../ir/build.ts';
import type { Node } from '../../../ir/node.ts';
import {
  avgPoolLayer,
  batchNormLayer,
  convLayer,
  dropoutLayer,
  flatten,
  linearLayer,
  maxPoolLayer,
  reluLayer,
} from '../../../nn/layers.ts';
import { type LossName, losses } from '../../../nn/losses.ts';
import { type ForwardPass, forwardPass, type Module } from '../../../nn/module.ts';
import { lossOf } from '../../../program/lossOf.ts';
import { byInputName, gradientOf, type Program, verifyProgram } from '../../../program/program.ts';
import { formatShape, sameShape } from '../../../tensor/shape.ts';
import { type Tensor, type TensorMap, tensor } from '../../../tensor/tensor.ts';
import type { Expectation } from '../../judge/expectation.ts';
import { float32Rounding } from '../../judge/limits.ts';
import { tolerances } from '../../judge/tolerances.ts';
import type { Manifest } from '../../reference/manifest.ts';
import { recorded, recordedNames } from '../../reference/recorded.ts';
import { arrayOf, type Reference } from '../../reference/reference.ts';
import type { PartRun, Stage, StageContext } from '../stage.ts';
import { optimizerSteps } from './optimizerSteps.ts';

type Settings = NonNullable<Manifest['stages']['ops']>['settings'][string];

/** The layer under test, called `layer`. */
interface OpCase {
  readonly mode?: ForwardPass['mode'];
  readonly module: (x: Tensor, settings: Settings) => Module;
  /** How many times what is left of its numbers they are: so much more their rounding weighs. */
  readonly cancels?: number;
}

const plain = (forward: (x: Node) => Node): OpCase => ({
  module: () => ({ state: [], init: [], dropouts: [], forward }),
});

const conv: OpCase = {
  module: (x, { kernel = 3, stride = 1, padding = 0 }) =>
    convLayer('layer', { from: x.shape[1], to: 4 }, { kernel, stride, padding }),
};
const pool: OpCase = { module: (_, { size = 2 }) => maxPoolLayer('layer', size) };
const avgPool: OpCase = { module: (_, { size = 2 }) => avgPoolLayer('layer', size) };
const norm: OpCase = { module: (x) => batchNormLayer('layer', x.shape[1]) };

/**
 * What each case of the reference is called there, and how our side makes it; first the sum through which all others
 * send their gradients.
 */
const cases: Readonly<Record<string, OpCase>> = {
  sum: plain((x) => x),
  relu: { module: () => reluLayer('layer') },
  maxPool2d: pool,
  'maxPool2d with ties': pool,
  'maxPool2d of odd maps': pool,
  conv2d: conv,
  'conv2d with stride': conv,
  linear: {
    module: ({ shape: [, features] }) => linearLayer('layer', { from: features, to: features }),
  },
  flatten: { module: () => flatten },
  'batchNorm in training': norm,
  'batchNorm in evaluation': { ...norm, mode: 'eval' },
  dropout: { module: (x, { p = 0.5 }) => dropoutLayer('layer', p, x.shape[1]) },
  'logSoftmax of large logits': plain(logSoftmax),
  'conv2d of unequal sides': conv,
  'conv2d of unequal sides on a small map': conv,
  'conv2d of unequal sides on a map of its own size': conv,
  'conv2d with unequal padding': conv,
  'conv2d with unequal stride': conv,
  'maxPool2d of unequal sides': pool,
  'avgPool2d of unequal sides': avgPool,
  'batchNorm of a mean of 1024 deviations': { ...norm, cancels: 1024 },
};

const stateName = (name: string): string => `layer.${name}`;

/** y = layer(x); fetches y, the gradients of Σ y·dy, and the buffers afterwards, by the reference's names. */
function layerProgram(name: string, { mode = 'train' }: OpCase, module: Module, given: TensorMap) {
  const x = input('x', given.get('x')!.shape) as Node<'input'>;
  const pass = forwardPass(module, { mode });
  const y = module.forward(x, pass);
  const dy = input('dy', y.shape) as Node<'input'>;
  const grads = gradients(reduceSum(mul(y, dy), [...y.shape.keys()]));
  const fetches = new Map<string, Node>([['y', y]]);
  const fetch = (key: string, node: Node | undefined): void => {
    if (node !== undefined) fetches.set(key, node);
  };
  fetch('x.grad', grads.get(x));
  for (const [key, node] of pass.state) {
    const short = key.slice(stateName('').length);
    fetch(gradientOf(short), grads.get(node));
    fetch(short, pass.bufferUpdates.get(key));
  }
  return verifyProgram({
    name: `op: ${name}`,
    inputs: byInputName([x, dy, ...pass.masks]),
    state: new Map([...pass.state].map(([key, current]) => [key, { current }])),
    fetches,
  });
}

/** A loss and its gradient. */
function lossProgram(name: LossName, given: TensorMap): Program {
  const x = input('x', given.get('x')!.shape) as Node<'input'>;
  const { loss, labels } = lossOf(x, name);
  return verifyProgram({
    name: `op: ${name}`,
    inputs: byInputName([x, labels]),
    state: new Map(),
    fetches: new Map([
      ['loss', loss],
      ['x.grad', gradients(loss).get(x)!],
    ]),
  });
}

function argMaxProgram(given: TensorMap): Program {
  const x = input('x', given.get('x')!.shape) as Node<'input'>;
  return verifyProgram({
    name: 'op: argMax',
    inputs: byInputName([x]),
    state: new Map(),
    fetches: new Map([['y', argMax(x)]]),
  });
}

function programOf(name: string, given: TensorMap, settings: Settings): Program | undefined {
  if (Object.hasOwn(losses, name)) return lossProgram(name as LossName, given);
  if (name === 'argMax with ties') return argMaxProgram(given);
  if (!Object.hasOwn(cases, name)) return undefined;
  return layerProgram(name, cases[name], cases[name].module(given.get('x')!, settings), given);
}

/** Why what the reference gives does not fit the program: its output has another shape than PyTorch's. */
function wrongShape(program: Program, given: TensorMap): string | undefined {
  const [ours, theirs] = [program.inputs.get('dy'), given.get('dy')];
  return ours === undefined || theirs === undefined || sameShape(ours.shape, theirs.shape)
    ? undefined
    : `shape ${formatShape(ours.shape)} against ${formatShape(theirs.shape)}`;
}

/** Runs a program on what the reference gives it, what it does not read left out. */
function run(backend: Backend, program: Program, given: TensorMap): Promise<TensorMap> {
  const take = (names: Iterable<string>, from: (name: string) => string): Map<string, Tensor> =>
    new Map([...names].map((name) => [name, given.get(from(name))!]));
  const state = take(program.state.keys(), (name) => name.slice(stateName('').length));
  const feeds = take(program.inputs.keys(), (name) => name);
  return holding(backend, program, [...program.fetches.keys()], state, (held) => held.run(feeds));
}

/** The arrays given to a case. A mask arrives as bytes and is fed as the layer's first mask. */
function givenTo(arrays: TensorMap, name: string): TensorMap {
  const prefix = `given/${name}/`;
  const given = new Map<string, Tensor>();
  for (const [key, value] of arrays) {
    if (!key.startsWith(prefix)) continue;
    const short = key.slice(prefix.length);
    if (short !== 'mask') given.set(short, value);
    else {
      const mask = value as Tensor<'uint8'>;
      given.set('mask0', tensor('float32', mask.shape, Float32Array.from(mask.data)));
    }
  }
  return given;
}

const arraysOf = (reference: Reference): TensorMap => reference.arrays(reference.stage('ops').file);

/** The reference's cases, ours first and in our order. */
function casesOf(arrays: TensorMap): string[] {
  const held = [...arrays.keys()].flatMap((key) => /^given\/(.*)\/x$/.exec(key)?.[1] ?? []);
  const known = Object.keys(cases).filter((name) => held.includes(name));
  return [...known, ...held.filter((name) => !known.includes(name))];
}

const resultsOf = (arrays: TensorMap, name: string): string[] =>
  recordedNames(arrays, `${name}/`).map((result) => `${name}/${result}`);

async function runCases({ backend, reference }: StageContext): Promise<PartRun> {
  const { settings } = reference.stage('ops');
  const arrays = arraysOf(reference);
  const recording = new Map<string, Tensor>();
  const leftOut = new Map<string, string>();
  for (const name of casesOf(arrays)) {
    const given = givenTo(arrays, name);
    const program = programOf(name, given, settings[name] ?? {});
    const wrong = program === undefined ? 'our side has no such case' : wrongShape(program, given);
    if (program === undefined || wrong !== undefined) {
      for (const key of resultsOf(arrays, name)) leftOut.set(key, wrong!);
      continue;
    }
    const found = await run(backend, program, given);
    for (const key of resultsOf(arrays, name)) {
      const value = found.get(key.slice(name.length + 1));
      if (value !== undefined) recording.set(key, value);
    }
  }
  return { recording, leftOut };
}

/** Whole numbers must be equal; all else as near the truth as everywhere, or as rounding allows. */
function expectations(reference: Reference): Expectation[] {
  const arrays = arraysOf(reference);
  return casesOf(arrays).flatMap((of) => {
    const { cancels = 1 } = cases[of] ?? {};
    const relativeL2 = Math.max(tolerances.relativeL2, cancels * float32Rounding);
    return resultsOf(arrays, of).map((name): Expectation => {
      const record = recorded(arrays, name);
      if (record !== undefined) {
        return { name, rule: { kind: 'float64', record, tolerance: { relativeL2 } } };
      }
      const to = arrayOf(arrays, `f32/${name}`, reference.stage('ops').file);
      return { name, rule: { kind: 'equality', to, what: `${to.data.length} whole numbers` } };
    });
  });
}

/**
 * One layer at a time, forward and backward, on inputs that a network on photographs never sees: exact ties
 * and zeros, odd maps, rows and columns that differ, logits that overflow an exponential, a variance as small as
 * eps or far below the mean.
 */
export const ops: Stage = (reference) => [
  { run: runCases, expect: ({ reference }) => expectations(reference) },
  ...(reference.stage('ops').optimizers === undefined ? [] : [optimizerSteps]),
];
