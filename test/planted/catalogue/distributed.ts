/** Mistakes of training among several ranks. */
import { imageBytes } from '../../../src/data/cifar.ts';
import { glooChunks } from '../../../src/distributed/gloo.ts';
import { type Tensor, type TensorMap, tensor, toFloat32 } from '../../../src/tensor/tensor.ts';
import { manualSeed } from '../../../src/torch/generator.ts';
import { causes } from '../causes.ts';
import { type Family, inModule, type Look, type Plant } from '../plant.ts';

type Evaluating = typeof import('../../../src/train/evaluation/evaluate.ts');
type Means = typeof import('../../../src/train/loop/meanOfGradients.ts');
type Passes = typeof import('../../../src/torch/dataLoader.ts');
type Ranks = typeof import('../../../src/train/loop/rankStep.ts');
type Reducing = typeof import('../../../src/distributed/reduce.ts');
type Sampling = typeof import('../../../src/torch/distributedSampler.ts');
type Stream = typeof import('../../../src/data/trainingStream.ts');
type Dropping = typeof import('../../../src/torch/dropout.ts');
type Buckets = typeof import('../../../src/distributed/buckets.ts');

const ddp = (at: string): Look & { at: string } => ({ model: 'vgg16bn', stage: 'ddp', at });

const { fround } = Math;

/** The mean over ranks times a number that depends on how many they are. */
const times = (factor: (ranks: number) => number): Plant =>
  inModule<Reducing>('distributed/reduce.ts', (real) => ({
    meanOverRanks: async (comm, bucket, reduction) =>
      (await real.meanOverRanks(comm, bucket, reduction)).map((x) => fround(x * factor(comm.size))),
  }));

/** What `make` gives, with each rank's own gradient of one parameter in the place of its mean. */
async function ownOf(
  own: TensorMap,
  name: string,
  make: () => Promise<Map<string, Tensor>>,
): Promise<Map<string, Tensor>> {
  const { shape, data } = own.get(name)! as Tensor<'float32'>;
  // The means take its place.
  const kept = tensor('float32', shape, data.slice());
  return new Map([...(await make()), [name, kept]]);
}

export const distributed: Family = {
  name: 'training among several ranks',
  looks: [{ model: 'vgg16bn', stage: 'ddp' }],
  bugs: [
    {
      name: 'gradients summed over ranks, not averaged',
      people: 'call all_reduce and stop',
      plants: [times((ranks) => ranks)],
      cause: {
        reads: "2 × the reference's: summed over 2 ranks",
        says: /^2 × the reference.*summed over 2 ranks/,
      },
      caught: ddp('2 ranks, step 1/features.0.weight.grad'),
    },
    {
      name: 'gradients divided by the ranks twice',
      people: 'divide before the sum and after it',
      plants: [times((ranks) => 1 / ranks)],
      cause: {
        reads: "0.5 × the reference's: divided twice",
        says: /^0\.5 × the reference.*divided by the 2 ranks twice/,
      },
      caught: ddp('2 ranks, step 1/features.0.weight.grad'),
    },
    {
      name: 'gradients divided after the sum',
      people: 'take the mean of what was added up: on three ranks it rounds otherwise',
      plants: [
        inModule<Reducing>('distributed/reduce.ts', (real) => ({
          meanOverRanks: async (comm, bucket) => {
            const sum = new Float32Array(bucket.length);
            for (const { from, to, order } of glooChunks(bucket.length, comm.size)) {
              const all = await comm.allgather(bucket.subarray(from, to));
              real.addUp(all, order, sum.subarray(from, to));
            }
            return sum.map((x) => x / comm.size);
          },
        })),
      ],
      cause: { reads: 'divided after the sum: rounded otherwise', says: /divided after the sum/ },
      caught: ddp('3 ranks, step 1/features.0.weight.grad'),
    },
    {
      name: 'gradients added up in the order of the ranks',
      people: 'gather and add, as any MPI may',
      plants: [
        inModule<Reducing>('distributed/reduce.ts', (real) => ({
          meanOverRanks: (comm, bucket) => real.meanOverRanks(comm, bucket, 'fast'),
        })),
      ],
      cause: { reads: 'added up in the order of the ranks', says: /in the order of the ranks/ },
      caught: ddp('3 ranks, step 1/features.0.weight.grad'),
    },
    {
      name: 'one bucket in every step',
      people: "take DDP's first step for all of them",
      plants: [
        inModule<Buckets>('distributed/buckets.ts', () => ({
          bucketsOf: (_, registered) => [registered],
        })),
      ],
      cause: { reads: 'added up in other buckets: rounded otherwise', says: /other buckets/ },
      caught: ddp('3 ranks, step 2/features.0.weight.grad'),
    },
    {
      name: 'one parameter not reduced',
      people: 'wrap the model before its last layer is added',
      plants: [
        inModule<Means>('train/loop/meanOfGradients.ts', (real) => ({
          meanOfGradients: async (comm, own, ...rest) =>
            ownOf(own, 'classifier.6.weight.grad', () => real.meanOfGradients(comm, own, ...rest)),
        })),
      ],
      cause: { reads: "each rank's own gradient: not reduced", says: /own gradient|not reduced/ },
      caught: ddp('2 ranks, step 1/classifier.6.weight.grad'),
    },
    {
      name: 'masks from one seed on every rank',
      people: 'seed dropout by the run’s seed alone',
      plants: [
        inModule<Dropping>('torch/dropout.ts', (real) => ({
          dropoutMask: (generator, ...rest) => {
            const { length } = real.dropoutMask(generator, ...rest);
            const same = real.dropoutMask(manualSeed(1n), ...rest);
            if (same.length !== length) throw new Error('masks of another length');
            return same;
          },
        })),
      ],
      cause: { reads: "every rank's masks are rank 0's: one seed", says: /one seed on all ranks/ },
      caught: ddp('2 ranks: mask0'),
    },
    {
      name: 'all ranks draw from one seed',
      people: 'call manual_seed without the rank: the same flips and crops everywhere',
      plants: [
        inModule<Stream>('data/trainingStream.ts', (real) => ({
          openTrainingStream: ({ seed, ...settings }) =>
            real.openTrainingStream({
              ...settings,
              seed: String(BigInt(seed) - BigInt(settings.sampler?.rank ?? 0)),
            }),
        })),
      ],
      cause: {
        reads: 'every rank draws what rank 0 draws: one seed',
        says: /one seed on all ranks/,
      },
      caught: ddp('2 ranks: images'),
    },
    {
      name: 'a sampler without set_epoch',
      people: 'forget the call: every epoch has the order of the first',
      plants: [
        inModule<Sampling>('torch/distributedSampler.ts', (real) => ({
          distributedOrder: (count, sampler) => real.distributedOrder(count, sampler, 0),
        })),
      ],
      cause: { reads: 'every epoch has the order of the first', says: /set_epoch|first epoch/ },
      caught: ddp('2 ranks: samples'),
    },
    {
      name: 'a sampler that pads with the last samples',
      people: 'fill up from the end',
      plants: [
        inModule<Sampling>('torch/distributedSampler.ts', (real) => ({
          distributedOrder(count, sampler, epoch) {
            const whole = real.distributedOrder(count, { ...sampler, rank: 0, size: 1 }, epoch);
            return real
              .distributedOrder(count, sampler, epoch)
              .map((own, i) => (sampler.rank + i * sampler.size < count ? own : whole[count - 1]));
          },
        })),
      ],
      cause: {
        reads: 'other samples fill up the last ranks’ parts',
        says: /filled up with the last/,
      },
      caught: ddp('2 ranks: samples'),
    },
    {
      name: 'ranks take blocks of the order',
      people: 'cut the order into parts instead of taking every W-th',
      plants: [
        inModule<Sampling>('torch/distributedSampler.ts', (real) => ({
          distributedOrder(count, sampler, epoch) {
            const whole = real.distributedOrder(count, { ...sampler, rank: 0, size: 1 }, epoch);
            const own = real.samplesOfRank(count, sampler);
            return Int32Array.from(
              { length: own },
              (_, i) => whole[(sampler.rank * own + i) % count],
            );
          },
        })),
      ],
      cause: { reads: 'contiguous parts, not every W-th sample', says: /contiguous/ },
      caught: ddp('2 ranks: samples'),
    },
    {
      name: 'padded samples counted twice',
      people: 'evaluate through a distributed sampler: what fills up the last batch counts again',
      plants: [
        inModule<Evaluating>('train/evaluation/evaluate.ts', (real) => ({
          evaluate: (programs, state, set, ...rest) => {
            const more = 2;
            const images = new Uint8Array((set.count + more) * imageBytes);
            images.set(set.images.subarray(0, set.count * imageBytes));
            images.set(set.images.subarray(0, more * imageBytes), set.count * imageBytes);
            const labels = Uint8Array.of(
              ...set.labels.subarray(0, set.count),
              ...set.labels.subarray(0, more),
            );
            return real.evaluate(
              programs,
              state,
              { ...set, images, labels, count: set.count + more },
              ...rest,
            );
          },
        })),
      ],
      cause: { reads: 'the first images are counted twice', says: /counted twice/ },
      caught: ddp('2 ranks: test labels'),
    },
    {
      name: "batch norm's buffers averaged over ranks",
      people: 'reduce all that is in the state dict',
      plants: [
        inModule<Ranks>('train/loop/rankStep.ts', (real) => ({
          rankStepper: async (of) => {
            const stepper = await real.rankStepper(of);
            const { model, state, backend, comm } = of;
            const names = model.state
              .filter(({ role }) => role === 'buffer')
              .map(({ name }) => name);
            return {
              async make(...step) {
                const made = await stepper.make(...step);
                for (const [name, value] of await backend.download(state, names)) {
                  const sum = new Float32Array(toFloat32(value).length);
                  await comm.allreduce(toFloat32(value), sum);
                  const mean = tensor(
                    'float32',
                    value.shape,
                    sum.map((x) => x / comm.size),
                  );
                  const [[, held]] = await backend.upload(new Map([[name, mean]]));
                  state.set(name, held);
                }
                return made;
              },
            };
          },
        })),
      ],
      cause: { reads: 'the mean over ranks, not rank 0’s', says: /mean over ranks|averaged/ },
      caught: ddp('2 ranks/features.1.running_mean'),
    },
    {
      name: 'ranks with initial weights of their own',
      people: 'leave out the broadcast at the start',
      plants: [
        inModule<Ranks>('train/loop/rankStep.ts', (real) => ({
          shareState: async (of, names) => {
            if (names !== undefined) await real.shareState(of, names);
          },
        })),
      ],
      cause: {
        reads: 'the weights of rank 1 are its own, not rank 0’s',
        says: /^rank 1 begins with weights of its own/,
      },
      caught: ddp('2 ranks: loss@0 of rank 1'),
    },
    {
      name: 'the last uneven batch of each rank dropped',
      people: 'drop_last in the loader, and count steps as whole numbers',
      plants: [
        inModule<Passes>('torch/dataLoader.ts', () => ({
          batchCount: (size, batchSize) => Math.floor(size / batchSize),
        })),
      ],
      cause: causes.shortBatchDropped,
      caught: ddp('2 ranks: batch sizes'),
    },
  ],
};
