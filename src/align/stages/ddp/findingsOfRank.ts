import type { Backend } from '../../../backends/backend.ts';
import { AgreedError } from '../../../distributed/agree.ts';
import type { Communicator } from '../../../distributed/communicator.ts';
import { type Tensor, type TensorMap, tensor } from '../../../tensor/tensor.ts';
import { distributedOrder } from '../../../torch/distributedSampler.ts';
import type { Reference } from '../../reference/reference.ts';
import { digestRows } from '../sameStart.ts';
import { type DdpRecord, recordOf, stateNames } from './ddpRecord.ts';
import { meansOfRank } from './meansOfRank.ts';
import type { RankFindings } from './ranks.ts';
import { type ObservedRank, runOfRank } from './runOfRank.ts';

/** Which samples are this rank's, an epoch a row. */
function samples({ rank, size }: Communicator, { section: { settings } }: DdpRecord): Tensor {
  const { seed, images, epochs } = settings;
  const rows = Array.from({ length: epochs }, (_, epoch) =>
    distributedOrder(images, { rank, size, seed: BigInt(seed) }, epoch),
  );
  const all = rows.flatMap((row) => [...row].map(BigInt));
  return tensor('int64', [epochs, all.length / epochs], BigInt64Array.from(all));
}

const numbers = (values: readonly number[]): Tensor =>
  tensor('float64', [values.length], Float64Array.from(values));

const below = (prefix: string, values: TensorMap): [string, Tensor][] =>
  [...values].map(([name, value]) => [prefix + name, value]);

/** What stands where there is no digest. */
const noDigest = '0'.repeat(64);

const fedParts = ['labels', 'images', 'mask0', 'mask1'] as const;
const columns = ['testLoss', 'testAccuracy', 'swaTestLoss', 'swaTestAccuracy'] as const;

/** Digests under a name, where there are any. */
const rows = (name: string, digests: readonly string[]): [string, Tensor][] =>
  digests.length === 0 ? [] : [[name, digestRows(digests)]];

function observations(run: ObservedRank, names: readonly string[]): [string, Tensor][] {
  const last = run.rows.at(-1);
  return [
    ['batch sizes', numbers(run.fed.map(({ images }) => images))],
    ...fedParts.flatMap((part) =>
      rows(
        part,
        run.fed.flatMap(({ digests }) => digests[part] ?? []),
      ),
    ),
    ['losses', numbers(run.losses)],
    ...rows(
      'states',
      run.states.flatMap((state) => names.map((name) => state.get(name) ?? noDigest)),
    ),
    ...below('start/', run.start),
    ...below('end/', run.end),
    ...below('average/', run.average),
    ...rows(
      'batch-norm refresh',
      run.refreshes.flat().map(({ digest }) => digest),
    ),
    ...(['labels', 'images'] as const).flatMap((part) =>
      rows(
        `test ${part}`,
        run.evaluated.map((batch) => batch[part]),
      ),
    ),
    ...columns.flatMap((column): [string, Tensor][] => {
      const value = last?.[column];
      return value === undefined ? [] : [[column, numbers([value])]];
    }),
  ];
}

/** Everything that the stage asks of one rank, in turn: all ranks do this together. */
export async function findingsOfRank(
  backend: Backend,
  reference: Reference,
  comm: Communicator,
): Promise<RankFindings> {
  const record = recordOf(reference, comm.size);
  const before: [string, Tensor][] = [
    ['samples', samples(comm, record)],
    ...(await meansOfRank(comm, reference, record)),
  ];
  try {
    const run = await runOfRank(comm, backend, reference, record);
    return { recording: new Map([...before, ...observations(run, stateNames(record))]) };
  } catch (error) {
    // All ranks know of it, and stop. Whatever else ends one of them the others would wait for.
    if (!(error instanceof AgreedError)) throw error;
    return { recording: new Map(before), problem: error.message };
  }
}
