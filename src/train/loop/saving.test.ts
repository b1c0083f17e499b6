import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  follow,
  ofKind,
  scratch,
  tinyDataset,
  tinyModel,
  tinyRun,
} from '../../../test/trainTinyRun.ts';
import { openBackend } from '../../backends/choose.ts';
import { readWeights } from '../../io/weights.ts';
import { vggPreparation } from '../../nn/models/preparation.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import { readCheckpoint } from '../checkpoint/checkpoint.ts';
import { evaluate, evaluationPrograms } from '../evaluation/evaluate.ts';
import type { LogRow } from '../logRow.ts';
import { modelWeights } from '../stateDict.ts';

let s: ReturnType<typeof scratch>;
let rows: readonly LogRow[];
const at = (name: string): string => join(s.dir, name);
beforeAll(async () => {
  s = scratch();
  const events = await follow(tinyRun(s.dir, { evalFreq: 1 }, { saveFreq: 1 }));
  rows = ofKind(events, 'epoch').map(({ row }) => row);
});
afterAll(() => s.remove());

const oracle = await openBackend('oracle');
const programs = evaluationPrograms(oracle, tinyModel);

/** What the float64 oracle makes of weights that were read back: the loss on the test set. */
async function lossOf(weights: TensorMap): Promise<number> {
  const state = await oracle.upload(modelWeights(tinyModel, weights, ''));
  const { loss } = await evaluate(programs, state, tinyDataset.test, 12, vggPreparation);
  return loss;
}

/** A file holds the weights whose loss the log tells, and no other row's. */
async function expectLogged(weights: TensorMap, logged: number | undefined): Promise<void> {
  const loss = await lossOf(weights);
  expect(loss / logged!).toBeCloseTo(1, 5);
  const others = rows.flatMap(({ testLoss, swaTestLoss }) => [testLoss, swaTestLoss]);
  const near = others.filter((other) => other !== undefined && Math.abs(other / loss - 1) < 1e-5);
  expect(near).toEqual([logged]);
}

describe('what a run has written, read back,', () => {
  test('is at its end the model and the average that the log tells of', async () => {
    const last = rows.at(-1);
    await expectLogged(readWeights(at('vgg16bn.safetensors')).tensors, last?.testLoss);
    await expectLogged(readWeights(at('vgg16bn-swa.safetensors')).tensors, last?.swaTestLoss);
    await expectLogged(readWeights(at('vgg16bn-swa.npz')).tensors, last?.swaTestLoss);
  });

  test.each([1, 2, 3, 4])('is after epoch %i both of that epoch', async (epoch) => {
    const { weights, average } = readCheckpoint(at(`checkpoint-${epoch}.safetensors`));
    const row = rows[epoch - 1];
    await expectLogged(weights, row.testLoss);
    // Averages begin with the second epoch.
    if (epoch === 1) expect(average).toBeUndefined();
    else await expectLogged(average!, row.swaTestLoss);
  });
});
