/** Mistakes in the average and in batch norm's statistics behind it. */
import type { Backend, DeviceState, Executable } from '../../../src/backends/backend.ts';
import { nextStep, type TrainingStream } from '../../../src/data/trainingStream.ts';
import type { Module } from '../../../src/nn/module.ts';
import { hasBatchNorm } from '../../../src/program/batchNormRefresh.ts';
import { slotOf } from '../../../src/program/program.ts';
import { averageOf, averageWeights } from '../../../src/program/weightUpdates.ts';
import { scalar, type Tensor, type TensorMap, zeros } from '../../../src/tensor/tensor.ts';
import { forkGenerator, type TorchGenerator } from '../../../src/torch/generator.ts';
import { causes } from '../causes.ts';
import { type Family, inModule, type Look, type Plant } from '../plant.ts';

type Decisions = typeof import('../../../src/train/epochDecisions.ts');
type Loading = typeof import('../../../src/data/loader.ts');
type Refresh = typeof import('../../../src/train/averaging/refreshBatchNorm.ts');
type Shares = typeof import('../../../src/optim/swaUpdate.ts');
type Average = typeof import('../../../src/train/averaging/swaAverage.ts');
type Generators = typeof import('../../../src/torch/generator.ts');

const joins = (change: (real: Decisions['joinsAverage']) => Decisions['joinsAverage']): Plant =>
  inModule<Decisions>('train/epochDecisions.ts', (real) => ({
    joinsAverage: change(real.joinsAverage),
  }));

const shares = (take: (averaged: number) => number): Plant =>
  inModule<Shares>('optim/swaUpdate.ts', () => ({
    swaShares: (averaged) => ({ keep: 1 - take(averaged), take: take(averaged) }),
  }));

/** The pass over `batches` with another share for each batch; statistics start as given. */
const refreshed = (take: (count: number, seen: number, batch: number) => number): Plant =>
  inModule<Refresh>('train/averaging/refreshBatchNorm.ts', (real) => ({
    refreshBatchNorm: async (backend, model, programs, state, batches) => {
      await real.refreshBatchNorm(backend, model, programs, state, []);
      let [seen, batch] = [0, 0];
      for (const images of batches) {
        const count = images.shape[0];
        const share = take(count, seen, batch++);
        seen += count;
        const executable = await programs.get(count);
        await executable.run(
          state,
          new Map<string, Tensor>([
            ['images', images],
            ['keep', scalar(1 - share)],
            ['take', scalar(share)],
          ]),
        );
      }
    },
  }));

const epochs = (at: string): Look & { at: string } => ({ model: 'vgg16bn', stage: 'epochs', at });
const swa = (model: Look['model'], at: string): Look & { at: string } => ({
  model,
  stage: 'swa',
  at,
});

export const joining: Family = {
  name: 'which epochs are averaged',
  looks: [{ model: 'vgg16bn', stage: 'epochs' }],
  bugs: [
    {
      name: 'the average begun one epoch late',
      people: 'compare epochs counted from 0 with swa_start counted from 1',
      plants: [
        joins(
          () =>
            (epoch, { swa: on, swaStart }) =>
              on && epoch >= swaStart,
        ),
      ],
      cause: { reads: 'the average begins one epoch late', says: /late|1 less/ },
      caught: epochs('models averaged'),
    },
    {
      name: 'the average begun one epoch early',
      people: 'correct that twice',
      plants: [
        joins(
          () =>
            (epoch, { swa: on, swaStart }) =>
              on && epoch + 2 >= swaStart,
        ),
      ],
      cause: { reads: 'the average begins one epoch early', says: /early|1 more/ },
      caught: epochs('models averaged'),
    },
    {
      name: 'only every second epoch averaged',
      people: 'leave a cycle length of two from cyclical rates',
      plants: [joins((real) => (epoch, s) => real(epoch, { ...s, swaCEpochs: 2 }))],
      cause: {
        reads: 'only every second epoch joins the average',
        says: /every second|other epochs|cycle/,
      },
      caught: epochs('models averaged'),
    },
  ],
};

/** What is done to the run once a model has joined the average. */
const afterJoining = (
  then: (backend: Backend, average: DeviceState, state: DeviceState, model: Module) => unknown,
): Plant =>
  inModule<Average>('train/averaging/swaAverage.ts', (real) => ({
    compileAverage: async (backend, model) => {
      const executable = await real.compileAverage(backend, model);
      backendOf.set(executable, backend);
      return executable;
    },
    joinAverage: async (average, executable, model, state, generator) => {
      await real.joinAverage(average, executable, model, state, generator);
      await then(backendOf.get(executable)!, average.state, state, model);
    },
  }));

/** Puts values into a state, which owns them: what was there is freed. */
async function put(backend: Backend, values: TensorMap, into: DeviceState): Promise<void> {
  await backend.free(new Map([...values.keys()].map((name) => [name, into.get(name)!])));
  for (const [name, value] of await backend.upload(values)) into.set(name, value);
}

/** The same tensors under the same names, lent: no program frees what it does not replace. */
const lent = (from: DeviceState, to: DeviceState, names: readonly string[]): void => {
  for (const name of names) to.set(name, from.get(name)!);
};

const trained = ({ state }: Module): string[] =>
  state.filter(({ role }) => role === 'parameter').map(({ name }) => name);

export const carrying: Family = {
  name: 'what an epoch carries into the next',
  looks: [{ model: 'vgg16bn', stage: 'epochs' }],
  bugs: [
    {
      name: 'momenta lost when a model joins the average',
      people: 'make the optimiser anew beside the averaged model',
      plants: [
        afterJoining((backend, _, state, model) =>
          put(
            backend,
            new Map(
              model.state
                .filter(({ role }) => role === 'parameter')
                .map(({ name, shape }) => [slotOf(name, 'momentum'), zeros('float32', shape)]),
            ),
            state,
          ),
        ),
      ],
      cause: causes.noMomentum,
      caught: epochs('epoch 4/features.0.weight'),
    },
    {
      name: 'training goes on from the average',
      people: 'swap the averaged weights in to evaluate and never out again',
      plants: [
        afterJoining(async (backend, average, state, model) =>
          put(backend, await backend.download(average, trained(model)), state),
        ),
      ],
      cause: { reads: 'trained on from the average', says: /average/ },
      caught: epochs('epoch 4/features.0.weight'),
    },
    {
      name: 'statistics of the trained weights behind the average',
      people: 'pass the wrong one of two models to bn_update',
      plants: [
        inModule<Average>('train/averaging/swaAverage.ts', (real) => ({
          joinAverage: async (average, executable, model, state, generator) => {
            await real.joinAverage(average, executable, model, state, generator);
            spare.set(average, new Map(state));
          },
          refreshAverage: async (average, backend, model, ...rest) => {
            const weights = new Map(average.state);
            const last = spare.get(average);
            if (last !== undefined) lent(last, average.state, trained(model));
            await real.refreshAverage(average, backend, model, ...rest);
            lent(weights, average.state, trained(model));
          },
        })),
      ],
      cause: {
        reads: 'statistics of the trained weights, not of the average',
        says: /trained|raw|epoch \d+\//,
      },
      caught: epochs('average of 2/features.1.running_mean'),
    },
  ],
};

/** What a planted bug keeps beside an average. */
const spare = new WeakMap<object, DeviceState>();
const backendOf = new WeakMap<Executable, Backend>();

export const averaging: Family = {
  name: 'the running average',
  looks: [{ model: 'vgg16', stage: 'swa' }],
  bugs: [
    {
      name: 'the initial weights averaged too',
      people: 'begin with n = 1',
      plants: [shares((n) => 1 / (n + 2))],
      cause: { reads: 'the initial weights are averaged too', says: /initial|one model more/ },
      caught: swa('vgg16', 'average/features.0.weight'),
    },
    {
      name: "the average's share as 1 − float32(α)",
      people: 'hold α in the precision of the weights: a unit in the last place',
      plants: [
        inModule<Shares>('optim/swaUpdate.ts', () => ({
          swaShares: (n) => ({ keep: 1 - Math.fround(1 / (n + 1)), take: 1 / (n + 1) }),
        })),
      ],
      cause: causes.rounding,
      caught: swa('vgg16', 'average to the bit'),
    },
    {
      name: 'an exponential average',
      people: 'take a decay instead of 1 / (n + 1)',
      plants: [shares((n) => (n === 0 ? 1 : 0.1))],
      cause: {
        reads: 'the new model has a share of 0.1: an exponential average',
        says: /exponential|share/,
      },
      caught: swa('vgg16', 'average/features.0.weight'),
    },
    {
      name: 'shares of the average swapped',
      people: 'give α to the old average',
      plants: [shares((n) => (n === 0 ? 1 : n / (n + 1)))],
      cause: { reads: 'shares of the old average and the new model are swapped', says: /share/ },
      caught: swa('vgg16', 'average/features.0.weight'),
    },
    {
      name: 'the last model kept instead of the average',
      people: 'save the wrong one of two models',
      plants: [shares(() => 1)],
      cause: { reads: 'equals the last model, not the average', says: /equals|last model|raw/ },
      caught: swa('vgg16', 'average/features.0.weight'),
    },
  ],
};

export const refreshing: Family = {
  name: 'statistics behind the average',
  looks: [
    { model: 'vgg16bn', stage: 'swa' },
    { model: 'vgg16bn', stage: 'epochs' },
  ],
  bugs: [
    {
      name: 'stale statistics behind the average',
      people: 'forget bn_update',
      plants: [
        inModule<Average>('train/averaging/swaAverage.ts', () => ({
          refreshAverage: async () => {},
        })),
      ],
      cause: causes.noRefresh,
      caught: epochs('batch-norm refresh'),
    },
    {
      name: "batch norm's buffers averaged",
      people: 'average the whole state_dict and leave the refresh out',
      plants: [
        inModule<Average>('train/averaging/swaAverage.ts', () => ({
          compileAverage: (backend, model) =>
            backend.compile(
              averageWeights(model.state.map(({ name, shape }) => [name, shape])),
              [],
            ),
          joinAverage: async (average, executable, model, state, generator) => {
            const both: DeviceState = new Map();
            for (const { name } of model.state) {
              both.set(name, state.get(name)!).set(averageOf(name), average.state.get(name)!);
            }
            const take = 1 / (average.averaged + 1);
            await executable.run(
              both,
              new Map([
                ['keep', scalar(1 - take)],
                ['take', scalar(take)],
              ]),
            );
            for (const { name } of model.state) average.state.set(name, both.get(averageOf(name))!);
            average.averaged++;
            average.refreshFrom = hasBatchNorm(model) ? forkGenerator(generator) : undefined;
          },
          refreshAverage: async (average) => {
            average.refreshFrom = undefined;
          },
        })),
      ],
      cause: causes.noRefresh,
      caught: epochs('batch-norm refresh'),
    },
    {
      name: 'the refresh draws from the training generator',
      people: 'pass the training loader to bn_update: training goes on with other numbers',
      plants: [
        inModule<Average>('train/averaging/swaAverage.ts', (real) => ({
          joinAverage: async (average, executable, model, state, generator) => {
            await real.joinAverage(average, executable, model, state, generator);
            trainedFrom.set(average, generator);
          },
          refreshAverage: async (average, backend, model, programs, settings, ...rest) => {
            const isDue = average.refreshFrom !== undefined;
            await real.refreshAverage(average, backend, model, programs, settings, ...rest);
            const generator = trainedFrom.get(average);
            if (!isDue || generator === undefined) return;
            const stream: TrainingStream = {
              settings,
              generator,
              epoch: 0,
              step: 0,
              pass: undefined,
            };
            while (!nextStep(stream).last);
          },
        })),
      ],
      cause: causes.otherDraws,
      caught: epochs('labels'),
    },
    {
      name: 'the refresh cut short',
      people: 'take one batch for good enough',
      plants: [
        inModule<Refresh>('train/averaging/refreshBatchNorm.ts', (real) => ({
          refreshBatchNorm: (backend, model, programs, state, batches) => {
            const [first] = batches;
            return real.refreshBatchNorm(backend, model, programs, state, [first]);
          },
        })),
      ],
      cause: { reads: 'statistics of the first batch only', says: /first batch|one batch/ },
      caught: swa('vgg16bn', 'bn_refresh/features.1.running_mean'),
    },
    {
      name: 'the refresh weighs a short batch like a full one',
      people: 'divide by the number of batches',
      plants: [refreshed((_count, _seen, batch) => 1 / (batch + 1))],
      cause: { reads: 'a short batch weighs like a full one', says: /weigh|batch/ },
      caught: swa('vgg16bn', 'bn_refresh/features.1.running_mean'),
    },
    {
      name: "the refresh with the layers' own momentum",
      people: 'run a pass in training mode and no more',
      plants: [refreshed(() => 0.1)],
      cause: { reads: 'momentum is 0.1, the reference averages all batches', says: /momentum/ },
      caught: swa('vgg16bn', 'bn_refresh/features.1.running_mean'),
    },
    {
      name: 'the refresh in evaluation mode',
      people: 'forget train(): nothing moves',
      plants: [refreshed(() => 0)],
      cause: {
        reads: 'not updated: it has its value of the start',
        says: /zero everywhere|not updated|same everywhere/,
      },
      caught: swa('vgg16bn', 'bn_refresh/features.1.running_mean'),
    },
    {
      name: 'the refresh without augmentation',
      people: 'pass over the images as they are tested',
      plants: [
        inModule<Loading>('data/loader.ts', (real) => ({
          trainingBatch: (set, plan, k, batchSize, g, preparation) => {
            const batch = real.trainingBatch(set, plan, k, batchSize, g, preparation);
            // The refresh alone begins a pass on a fork, whose seed words nobody else holds.
            return refreshedFrom.has(g) ? real.plainBatch(set, batch.order, preparation) : batch;
          },
        })),
        inModule<Generators>('torch/generator.ts', (real) => ({
          forkGenerator: (generator) => {
            const fork = real.forkGenerator(generator);
            if (refreshedFrom.has(generator)) refreshedFrom.add(fork);
            return fork;
          },
        })),
        inModule<Average>('train/averaging/swaAverage.ts', (real) => ({
          refreshAverage: async (average, ...rest) => {
            if (average.refreshFrom !== undefined) refreshedFrom.add(average.refreshFrom);
            await real.refreshAverage(average, ...rest);
          },
        })),
      ],
      cause: causes.notAugmented,
      caught: epochs('batch-norm refresh'),
    },
  ],
};

/** Training's generator, by the average that its models join. */
const trainedFrom = new WeakMap<object, TorchGenerator>();

/** Generators of refresh passes. */
const refreshedFrom = new WeakSet<object>();
