import type { Backend } from '../../backends/backend.ts';
import { releasing } from '../../backends/holding.ts';
import { InputError } from '../../errors.ts';
import { type ModelName, models } from '../../nn/models/index.ts';
import type { Network } from '../../nn/module.ts';
import { scalarsAt } from '../../optim/optimizer.ts';
import { evaluationFeeds, evaluationStep } from '../../program/evaluationStep.ts';
import type { Program } from '../../program/program.ts';
import { stepOrder } from '../../program/stepOrder.ts';
import { trainingStep } from '../../program/trainingStep.ts';
import {
  scalars,
  type Tensor,
  type TensorMap,
  tensor,
  toFloat32,
  zeros,
} from '../../tensor/tensor.ts';
import { modelWeights } from '../../train/stateDict.ts';
import { initialTrainingState } from '../../train/trainingState.ts';
import { initialName, inPass } from '../reference/probe.ts';
import type { ProbeReference } from '../reference/probeReference.ts';
import { batchOf, masksOf, optimizerOf } from './passSettings.ts';

/** One of our networks with the weights that a reference began with. */
interface Start {
  readonly model: Network;
  readonly weights: TensorMap;
}

/** One pass, ready to be run. */
interface Pass {
  readonly program: Program;
  readonly feeds: TensorMap;
  /** By the names of its probes, what to fetch. */
  readonly fetches: ReadonlyMap<string, string>;
}

/**
 * Our name of a layer's output as the recorder has it: `relu` and `relu#2`, which our model calls, are `relu.output`
 * and `relu@1.output`; gradients are called alike.
 */
export function probeName(fetch: string): string {
  const [, layer, call, rest = ''] = /^(.*?)(?:#(\d+))?((?:\.output)?\.grad)?$/.exec(fetch)!;
  const called = call === undefined ? layer : `${layer}@${Number(call) - 1}`;
  return rest === '' ? `${called}.output` : `${called}${rest}`;
}

/** What is fetched of a program, by the names of probes. */
const fetchesOf = (program: Program): ReadonlyMap<string, string> =>
  new Map([
    ...stepOrder(program).map(({ name }) => [probeName(name), name] as const),
    ['loss', 'loss'],
    ['output', 'logits'],
  ]);

function start(reference: ProbeReference, name: ModelName): Start {
  const { probes, whole, where } = reference;
  const initial = new Map(
    probes.flatMap((probe) =>
      probe.name === initialName(probe.name)
        ? [[probe.name.slice(initialName('').length), whole(probe)] as const]
        : [],
    ),
  );
  // Every network of ours ends in a linear layer over the classes.
  const last = [...initial.values()].filter(({ shape }) => shape.length === 2).at(-1);
  if (last === undefined) {
    throw new InputError('holds no weights of a linear layer', {
      where,
      fix: `record ${models[name].title}, or name another --model`,
    });
  }
  const model = models[name].build(last.shape[0]);
  return { model, weights: modelWeights(model, initial, where, { dtype: 'float32' }) };
}

const maskOf = (mask: Tensor): Tensor =>
  tensor('float32', [mask.shape[0], mask.data.length / mask.shape[0]], toFloat32(mask));

/** Step `t`, counted from 1, on pass `k`. */
function stepPass(reference: ProbeReference, model: Network, k: number, t: number): Pass {
  const { passes } = reference.manifest;
  const { images, labels } = batchOf(reference, model, k);
  if (labels === undefined) {
    throw new InputError(`pass ${k} trains without labels`, {
      where: reference.where,
      fix: 'record steps on (images, labels)',
    });
  }
  const { settings, lr } = optimizerOf(passes[k].optimizers, reference.where);
  const masks = masksOf(reference, model, k);
  const program = trainingStep(model, {
    images: images.shape,
    optimizer: settings,
    dropout: masks !== undefined,
  });
  const feeds = new Map([
    ...evaluationFeeds(images, labels),
    ...scalars(scalarsAt(settings, lr, t)),
    ...(masks ?? []).map((mask, i) => [`mask${i}`, maskOf(mask)] as const),
  ]);
  return { program, feeds, fetches: fetchesOf(program) };
}

function evaluationPass(reference: ProbeReference, model: Network, k: number): Pass {
  const { images, labels } = batchOf(reference, model, k);
  const program = evaluationStep(model, images.shape);
  // A pass without labels has no loss that anybody recorded.
  const feeds = evaluationFeeds(images, labels ?? zeros('int64', [images.shape[0]]));
  return { program, feeds, fetches: fetchesOf(program) };
}

/**
 * Runs one of our networks on a backend through every pass of a reference, from the weights it began with, on the
 * batches and masks that it holds. Gives what was computed by the names of its probes; probes whose layers our
 * network does not name are not among it. Throws InputError where the reference is of another network, or was
 * trained as ours cannot be.
 */
export async function runOwnNetwork(
  reference: ProbeReference,
  name: ModelName,
  backend: Backend,
): Promise<TensorMap> {
  const { model, weights } = start(reference, name);
  const wanted = new Set(reference.probes.map((probe) => probe.name));
  const recording = new Map<string, Tensor>();
  let state: TensorMap = weights;
  let steps = 0;
  for (const [k, { kind, optimizers }] of reference.manifest.passes.entries()) {
    const trains = kind === 'step';
    if (trains && steps === 0) {
      const { settings } = optimizerOf(optimizers, reference.where);
      state = initialTrainingState(model, weights, settings);
    }
    const pass = trains
      ? stepPass(reference, model, k, ++steps)
      : evaluationPass(reference, model, k);
    const kept = new Map([...pass.fetches].filter(([probe]) => wanted.has(inPass(k, probe))));
    if (!trains && kept.size === 0) continue;
    const found = await runPass(backend, pass, [...kept.values()], state);
    for (const [probe, fetch] of kept) recording.set(inPass(k, probe), found.results.get(fetch)!);
    if (!trains) continue;
    state = found.state;
    for (const [key, value] of state) {
      if (wanted.has(inPass(k, key))) recording.set(inPass(k, key), value);
    }
  }
  return recording;
}

const runPass = (
  backend: Backend,
  { program, feeds }: Pass,
  fetches: readonly string[],
  values: TensorMap,
): Promise<{ results: TensorMap; state: TensorMap }> =>
  releasing(async (on) => {
    const held = on(backend);
    const executable = await held.compile(program, fetches);
    const own = new Map([...values].filter(([name]) => program.state.has(name)));
    const state = await held.upload(own);
    const results = await executable.run(state, feeds);
    return { results, state: new Map([...values, ...(await backend.download(state))]) };
  });
