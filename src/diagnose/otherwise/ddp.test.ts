import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { openReference, type Reference } from '../../align/reference/reference.ts';
import { recordOf, stateNames, stepCount } from '../../align/stages/ddp/ddpRecord.ts';
import { digestRows } from '../../align/stages/sameStart.ts';
import { fixturesDirectory } from '../../fixtures.ts';
import { sha256Hex } from '../../io/sha256/sha256.ts';
import { type Tensor, tensor, toFloat64 } from '../../tensor/tensor.ts';
import { distributedOrder } from '../../torch/distributedSampler.ts';
import type { Evidence } from '../suspect.ts';
import { ddpVariants } from './ddp.ts';

let reference: Reference;
beforeAll(() => {
  reference = openReference(`${fixturesDirectory}/reference/vgg16bn`, 'vgg16bn');
});

/** What is told of `name`, where our side has these under their names. */
function told(name: string, ours: Readonly<Record<string, Tensor>>): string[] {
  const evidence = { ours: (of: string) => ours[of] } as unknown as Evidence;
  const found = ours[name];
  const same = (a: Tensor): boolean =>
    a.shape.join() === found.shape.join() && toFloat64(a).join() === toFloat64(found).join();
  return [...ddpVariants(reference)(name, evidence)].flatMap(({ says, value }) =>
    same(value) ? [says] : [],
  );
}

const ranksAndSettings = (ranks: number) => ({
  record: recordOf(reference, ranks),
  settings: recordOf(reference, ranks).section.settings,
});

describe('samples of each rank', () => {
  /** Rows of the epochs of each rank, by the sampler of the port itself. */
  function rows(ranks: number, of: (rank: number, epoch: number) => ArrayLike<number>): Tensor {
    const { epochs } = ranksAndSettings(ranks).settings;
    const all = Array.from({ length: ranks * epochs }, (_, i) =>
      Array.from(of(Math.floor(i / epochs), i % epochs)),
    );
    const numbers = all.flat().map(BigInt);
    return tensor('int64', [all.length, all[0].length], BigInt64Array.from(numbers));
  }

  const order = (ranks: number, rank: number, epoch: number) => {
    const { images, seed } = ranksAndSettings(ranks).settings;
    return distributedOrder(images, { rank, size: ranks, seed: BigInt(seed) }, epoch);
  };

  it.each([2, 3, 4])('of %i, by a sampler that is not told the epoch', (ranks) => {
    const name = `${ranks} ranks: samples`;
    const ours = rows(ranks, (rank) => order(ranks, rank, 0));
    expect(told(name, { [name]: ours })).toEqual([
      expect.stringMatching(/set_epoch is not called/),
    ]);
  });

  it.each([2, 3, 4])('of %i, where they are right or random, are none of these', (ranks) => {
    const name = `${ranks} ranks: samples`;
    const right = rows(ranks, (rank, epoch) => order(ranks, rank, epoch));
    expect(told(name, { [name]: right })).toEqual([]);
    const { images } = ranksAndSettings(ranks).settings;
    const [count, each] = right.shape;
    const samples = fc.array(fc.bigInt({ min: 0n, max: BigInt(images - 1) }), {
      minLength: count * each,
      maxLength: count * each,
    });
    fc.assert(
      fc.property(samples, (list) => {
        const ours = tensor('int64', [count, each], BigInt64Array.from(list));
        expect(told(name, { [name]: ours })).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('masks', () => {
  const digests = (rows: readonly string[]): Tensor =>
    digestRows(rows.map((row) => sha256Hex(new TextEncoder().encode(row))));
  /** A row a step of a rank. */
  const each = (row: (rank: number, step: number) => string): Tensor => {
    const { record } = ranksAndSettings(3);
    const steps = stepCount(record);
    return digests(
      Array.from({ length: 3 * steps }, (_, i) => row(Math.floor(i / steps), i % steps)),
    );
  };
  const of = (name: string, masks: Tensor, images = each((r, s) => `images ${r} ${s}`)) =>
    told(`3 ranks: ${name}`, {
      '3 ranks: mask0': masks,
      '3 ranks: mask1': masks,
      '3 ranks: images': images,
    });

  it("that are rank 0's on every rank, and images drawn like them, are of one seed", () => {
    const shared = each((_, step) => `step ${step}`);
    for (const name of ['mask0', 'mask1', 'images']) {
      expect(of(name, shared)).toEqual([
        'every rank draws what rank 0 draws: one seed on all ranks',
      ]);
    }
  });

  it('that are one mask in every step are told as that', () => {
    const [says] = of(
      'mask0',
      each(() => 'one'),
    );
    expect(says).toMatch(/and the same in every step/);
  });

  it('of each rank, or shared by two of three, are not of one seed', () => {
    expect(
      of(
        'mask0',
        each((rank, step) => `${rank} ${step}`),
      ),
    ).toEqual([]);
    expect(
      of(
        'images',
        each((rank, step) => `${Math.min(rank, 1)} ${step}`),
      ),
    ).toEqual([]);
  });
});

describe('weights of a rank', () => {
  /** 1 where a tensor is rank 0's before a step. */
  const states = (is: (name: string, step: number) => boolean): Tensor => {
    const { record } = ranksAndSettings(2);
    const names = stateNames(record);
    const all = Array.from({ length: stepCount(record) }, (_, step) =>
      names.map((name) => Number(is(name, step))),
    );
    return tensor('uint8', [all.flat().length], Uint8Array.from(all.flat()));
  };
  const name = '2 ranks: loss@3 of rank 1';
  const of = (list: Tensor) =>
    told(name, {
      [name]: tensor('float32', [], Float32Array.of(2.5)),
      '2 ranks: weights and buffers of rank 1': list,
    });

  it('of its own from the start, or from a step on, are told with the first of them', () => {
    const [first] = of(states((tensorName) => !tensorName.endsWith('.weight')));
    expect(first).toMatch(
      /^rank 1 begins with weights of its own, not with rank 0's: features\.0\.weight and \d+ more$/,
    );
    const [later] = of(
      states((tensorName, step) => step < 2 || tensorName !== 'features.0.weight'),
    );
    expect(later).toBe(
      "rank 1 has weights of its own before step 3, not rank 0's: features.0.weight",
    );
    const [buffers] = of(
      states((tensorName, step) => step < 1 || !tensorName.includes('running_')),
    );
    expect(buffers).toMatch(/^rank 1 has buffers of its own before step 2/);
  });

  it("that are rank 0's say nothing", () => {
    expect(of(states(() => true))).toEqual([]);
  });
});

describe('labels of the test images', () => {
  it.each([2, 4])(
    'of %i ranks with the first counted twice, and none where they are right',
    (ranks) => {
      const { record, settings } = ranksAndSettings(ranks);
      const name = `${ranks} ranks: test labels`;
      const right = record.section.evaluation.map(({ labels }) => labels);
      const passes = Array.from({ length: 3 }, () => right).flat();
      expect(told(name, { [name]: digestRows(passes) })).toEqual([]);
      // Filled up within its last batch, and into one more: all batches before are the recorded ones.
      const variants = [
        ...ddpVariants(reference)(name, { ours: () => digestRows(passes) } as unknown as Evidence),
      ];
      const full = Math.floor(settings.test_images / settings.batch);
      const filled = variants.filter(({ says }) => says.includes('counted twice'));
      expect(filled).toHaveLength(settings.batch);
      for (const { value } of filled) {
        expect(toFloat64(value).slice(0, 32 * full)).toEqual(
          toFloat64(digestRows(right.slice(0, full))),
        );
      }
    },
  );
});
