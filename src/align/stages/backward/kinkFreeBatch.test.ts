import { beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../../backends/backend.ts';
import { oracleBackend } from '../../../backends/oracle/oracleBackend.ts';
import { mul } from '../../../ir/build.ts';
import type { Node } from '../../../ir/node.ts';
import { preResNet } from '../../../nn/models/preResNet.ts';
import type { Program } from '../../../program/program.ts';
import { rewriteProgram } from '../../../program/rewriteProgram.ts';
import type { TensorMap } from '../../../tensor/tensor.ts';
import { passed } from '../../judge/verdict.ts';
import type { Reference } from '../../reference/reference.ts';
import { weightsFromSeed } from '../../reference/seedWeights.ts';
import { randomBatch } from '../../testdata/narrowStep.ts';
import { oracleReference } from '../../testdata/oracleReference.ts';
import { judgeStage } from '../runStage.ts';
import { kinkFreeBatch } from './kinkFreeBatch.ts';

const oracle = oracleBackend();
const model = preResNet({ depth: 20, classes: 10, narrow: 8 });
const weights: TensorMap = weightsFromSeed(model, 3);
let reference: Reference;

beforeAll(async () => {
  const batch = randomBatch(5, 2, 2);
  reference = await oracleReference({
    model,
    weights,
    batch,
    iterations: 2,
    single: oracle,
    oracle,
  });
});

/** The oracle, which computes `replace` in the place of some nodes of the training step. */
const mistaken = (
  replace: (program: Program, node: Node, operands: readonly Node[]) => Node | undefined,
): Backend => ({
  ...oracle,
  compile: (program, fetches) =>
    oracle.compile(
      rewriteProgram(program, (node, operands) => replace(program, node, operands)),
      fetches,
    ),
});

const firstFailure = async (backend: Backend) => {
  const { verdicts } = await judgeStage(() => [kinkFreeBatch], { backend, reference, weights });
  return verdicts.find((v) => !passed(v));
};

describe('the first gradient that fails in a residual network, no trace being recorded', () => {
  it('is none where nothing is wrong', async () => {
    expect(await firstFailure(oracle)).toBeUndefined();
  });

  it('is before the block whose shortcut passes no gradient on', async () => {
    const backend = mistaken(({ fetches }, node, operands) =>
      node === fetches.get('layer2.0.output.grad') && node.op === 'add' ? operands[0] : undefined,
    );
    expect(await firstFailure(backend)).toMatchObject({
      name: 'iter0/layer2.0.downsample.0.weight.grad',
      layer: 'layer2.0.downsample.0',
    });
  });

  it('is right before the average pool whose adjoint forgets to divide', async () => {
    const backend = mistaken((_, node, operands) =>
      node.op === 'avgPool2dGrad' ? mul({ ...node, inputs: operands } as Node, 64) : undefined,
    );
    expect(await firstFailure(backend)).toMatchObject({ layer: 'bn' });
  });
});
