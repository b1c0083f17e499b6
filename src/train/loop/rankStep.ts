import type { Backend, DeviceState } from '../../backends/backend.ts';
import { givenAway } from '../../backends/givenAway.ts';
import type { TrainingStep, TrainingStream } from '../../data/trainingStream.ts';
import { AgreedError, nameOf } from '../../distributed/agree.ts';
import type { Communicator } from '../../distributed/communicator.ts';
import { gatherTexts } from '../../distributed/messages.ts';
import type { Reduction } from '../../distributed/reduce.ts';
import type { Network } from '../../nn/module.ts';
import { type OptimizerSettings, scalarsAt } from '../../optim/optimizer.ts';
import { optimizerUpdate } from '../../program/optimizerStep.ts';
import { gradientOf } from '../../program/program.ts';
import { gradientStep } from '../../program/trainingStep.ts';
import { sizeOf } from '../../tensor/shape.ts';
import { scalars, type TensorMap, toFloat32, toFloat64 } from '../../tensor/tensor.ts';
import { byBatchSize } from '../byBatchSize.ts';
import { firstNonFinite } from '../health/finite.ts';
import { gradientWatch, watch, watched, watchedGradients } from '../health/finiteProbes.ts';
import { firstPlace } from '../health/firstPlace.ts';
import { feedsOf } from '../trainingState.ts';
import { bucketsFor, flat, meanOfGradients, unflat } from './meanOfGradients.ts';
import { stepsAhead } from './stepsAhead.ts';

/** What the steps of one rank are made of. */
export interface RankStepping {
  readonly comm: Communicator;
  readonly reduction: Reduction;
  readonly backend: Backend;
  readonly model: Network;
  /** This rank's part of the samples, and its own generator. */
  readonly stream: TrainingStream;
  /** Weights, what the optimizer keeps, and buffers. */
  readonly state: DeviceState;
  readonly optimizer: OptimizerSettings;
  readonly dropout: boolean;
}

/** What a step showed, of all ranks together. */
export interface RankSigns {
  /** Mean over the samples of all ranks: their batches are equally long. */
  readonly loss: number;
  /** Samples, and right predictions among them. */
  readonly count: number;
  readonly correct: number;
  /** The highest `stop` of any rank, and whose it is. */
  readonly stop: number;
  readonly stopOf: number;
}

export interface RankStepper {
  /**
   * Makes step number `step` of the run together with all other ranks, as DistributedDataParallel does: buffers of
   * rank 0, each rank's gradients, their mean, the same update everywhere. `stop` is told to all. Throws AgreedError
   * on all ranks, naming rank and layer, when a number is NaN or infinite.
   */
  make(
    step: number,
    lr: number,
    stop: number,
  ): Promise<{ readonly batch: TrainingStep; readonly signs: RankSigns }>;
}

export async function rankStepper(of: RankStepping): Promise<RankStepper> {
  const { comm, reduction, backend, model, stream, state, optimizer } = of;
  const parameters = model.state.filter(({ role }) => role === 'parameter');
  const buffers = model.state.filter(({ role }) => role === 'buffer').map(({ name }) => name);
  const bucketsAt = bucketsFor(model, reduction);
  const gradientNames = parameters.map(({ name }) => gradientOf(name));
  const stepOf = (batch: number) =>
    gradientStep(model, { images: [batch, ...model.image], dropout: of.dropout });
  const gradients = byBatchSize(
    backend,
    (batch) => watchedGradients(stepOf(batch), gradientNames),
    ['loss', 'correct', gradientWatch, ...gradientNames],
  );
  const update = await backend.compile(
    watched(
      optimizerUpdate(
        parameters.map(({ name, shape }) => [name, shape]),
        optimizer,
      ),
    ),
    [watch],
  );
  const ahead = stepsAhead(stream);
  const into = await roomFor(backend, parameters);

  /** Throws on all ranks what the rank of the first row that is unsound has found to be at fault. */
  async function agreeOn(
    broken: number,
    step: number,
    epoch: number,
    cause: () => Promise<string>,
  ): Promise<never> {
    const said = broken === comm.rank ? await cause() : '';
    const text = (await gatherTexts(comm, said))[broken];
    throw new AgreedError(`${text}, at step ${step}, in epoch ${epoch + 1}`);
  }

  return {
    async make(step, lr, stop) {
      // Running statistics of rank 0 on every rank: those of the others are not kept.
      await shareState(of, buffers);
      const batch = ahead.take();
      const count = batch.order.length;
      const feeds = feedsOf(batch, {});
      const running = (await gradients.get(count)).run(state, feeds, into);
      if (!batch.last) ahead.prepare();
      const results = await running;
      const [loss, correct, sum] = ['loss', 'correct', gradientWatch].map(
        (name) => toFloat64(results.get(name)!)[0],
      );
      const gathered = (sumOfGradients: number) =>
        comm.allgather(Float64Array.of(loss, correct, sumOfGradients, count, stop));
      const unsound = (row: Float64Array) => !row.every(Number.isFinite);
      let rows = await gathered(sum);
      // A sum in float32 may overflow where every gradient is finite.
      if (rows.some(unsound)) rows = await gathered(sumOf(results, gradientNames));
      const broken = rows.findIndex(unsound);
      if (broken >= 0) {
        await agreeOn(broken, step, batch.epoch, async () => {
          const place = await firstPlace(backend, stepOf(count), state, feeds);
          const what = Number.isFinite(loss)
            ? 'a gradient became NaN or infinite'
            : `the loss became ${loss}`;
          return `${nameOf(comm)}: ${what}: NaN or infinity first appears in ${place ?? 'nothing when the step is made once more'}`;
        });
      }
      const mean = await meanOfGradients(comm, results, bucketsAt(step), reduction);
      const numbers = scalars({ ...scalarsAt(optimizer, lr, step + 1) });
      const seen = await update.run(state, new Map([...givenAway(mean), ...numbers]));
      if (!Number.isFinite(toFloat64(seen.get(watch)!)[0])) {
        const name = firstNonFinite(await backend.download(state));
        const cause = async () => `${name} became NaN or infinite on every rank`;
        // The sum may overflow where all weights are finite.
        if (name !== undefined) await agreeOn(0, step, batch.epoch, cause);
      }
      const total = (i: number): number => rows.reduce((sum, row) => sum + row[i], 0);
      const stops = rows.map((row) => row[4]);
      const highest = Math.max(...stops);
      return {
        batch,
        signs: {
          loss: total(0) / comm.size,
          correct: total(1),
          count: total(3),
          stop: highest,
          stopOf: stops.indexOf(highest),
        },
      };
    },
  };
}

/** Where gradients lie, one behind the other, if the backend can write them where ranks exchange and updates read them. */
async function roomFor(
  backend: Backend,
  parameters: readonly { readonly name: string; readonly shape: readonly number[] }[],
): Promise<TensorMap | undefined> {
  const shapes = parameters.map(({ name, shape }) => [gradientOf(name), shape] as const);
  const length = shapes.reduce((sum, [, shape]) => sum + sizeOf(shape), 0);
  const room = await backend.room?.(length);
  return room && unflat(room, shapes);
}

/** Puts what rank 0 has under these names into the state of every rank. */
export async function shareState(
  { comm, backend, state }: Pick<RankStepping, 'comm' | 'backend' | 'state'>,
  names: readonly string[] = [...state.keys()],
): Promise<void> {
  if (names.length === 0 || comm.size === 1) return;
  const shapes = names.map((name) => [name, state.get(name)!.shape] as const);
  const length = shapes.reduce((sum, [, shape]) => sum + sizeOf(shape), 0);
  const shared =
    comm.rank === 0 ? flat(await backend.download(state, names), names) : new Float32Array(length);
  await comm.broadcast(shared);
  if (comm.rank === 0) return;
  await backend.free(new Map(names.map((name) => [name, state.get(name)!])));
  for (const [name, value] of await backend.upload(unflat(shared, shapes))) state.set(name, value);
}

function sumOf(values: TensorMap, names: readonly string[]): number {
  let sum = 0;
  for (const name of names) for (const value of toFloat32(values.get(name)!)) sum += value;
  return sum;
}
