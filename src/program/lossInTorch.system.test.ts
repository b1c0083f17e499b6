import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import type { Backend } from '../backends/backend.ts';
import { holding } from '../backends/holding.ts';
import { oracleBackend } from '../backends/oracle/oracleBackend.ts';
import { ortBackend } from '../backends/ort/cpu/ortBackend.ts';
import { linearLayer, reluLayer } from '../nn/layers.ts';
import type { LossName } from '../nn/losses.ts';
import { initPlan, sequential } from '../nn/module.ts';
import { type Tensor, type TensorMap, tensor, toFloat64 } from '../tensor/tensor.ts';
import { manualSeed } from '../torch/generator.ts';
import { initialise } from '../torch/initialise.ts';
import { normal } from '../torch/normal.ts';
import { initialTrainingState } from '../train/trainingState.ts';
import { evaluationStep } from './evaluationStep.ts';
import { trainingStep } from './trainingStep.ts';

const hasTorch = pythonHas(['numpy', 'torch']);

const script = `
import json, sys, torch
given = json.load(sys.stdin)
def tensor(t):
    return torch.tensor(t["data"], dtype=getattr(torch, t["dtype"])).reshape(t["shape"])
net = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3)).double()
net.load_state_dict({name: tensor(t).double() for name, t in given["weights"].items()})
loss_of = getattr(torch.nn.functional, given["loss"])
optimizer = torch.optim.SGD(net.parameters(), lr=0.25, momentum=0.9, weight_decay=0.01)
x, y, losses = tensor(given["x"]).double(), tensor(given["y"]), []
y = y.double() if y.is_floating_point() else y
for _ in range(4):
    optimizer.zero_grad()
    loss = loss_of(net(x), y)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
losses.append(loss_of(net(x), y).item())
print(json.dumps({"losses": losses, "weights": {n: w.flatten().tolist() for n, w in net.state_dict().items()}}))
`;

import { pythonHas } from '../../test/support/pythons.ts';

const model = sequential([
  linearLayer('0', { from: 6, to: 5 }),
  reluLayer('1'),
  linearLayer('2', { from: 5, to: 3 }),
]);
const generator = manualSeed(3);
const weights = initialise(initPlan(model), generator);
const drawn = (shape: readonly number[]): Tensor => {
  const values = new Float32Array(shape.reduce((n, d) => n * d, 1));
  normal(generator, values, 0, 1);
  return tensor('float32', shape, values);
};
const images = drawn([7, 6]);
const optimizer = { kind: 'sgd', momentum: 0.9, weightDecay: 0.01 } as const;

/** Four steps, and the loss after them; and the weights. */
async function ours(backend: Backend, loss: LossName, labels: Tensor) {
  const batch: TensorMap = new Map([
    ['images', images],
    ['labels', labels],
  ]);
  const program = trainingStep(model, { images: images.shape, optimizer, dropout: true, loss });
  const start = initialTrainingState(model, weights, optimizer);
  const feeds = new Map<string, Tensor>([
    ...batch,
    ['lr', tensor('float32', [], Float32Array.of(0.25))],
  ]);
  const number = (found: TensorMap): number => toFloat64(found.get('loss')!)[0];
  return holding(backend, program, ['loss'], start, async ({ run, state }) => {
    const losses: number[] = [];
    for (let k = 0; k < 4; k++) losses.push(number(await run(feeds)));
    const left = await backend.download(state);
    const after = evaluationStep(model, images.shape, loss);
    const found = await holding(backend, after, ['loss'], left, (held) => held.run(batch));
    return { losses: [...losses, number(found)], left };
  });
}

const asJson = ({ dtype, shape, data }: Tensor) => ({
  dtype,
  shape,
  data: Array.from(data as ArrayLike<number | bigint>, Number),
});

test.skipIf(!hasTorch).each([
  ['meanSquaredError', 'mse_loss', drawn([7, 3])],
  [
    'crossEntropy',
    'cross_entropy',
    tensor('int64', [7], BigInt64Array.of(0n, 2n, 1n, 1n, 0n, 2n, 2n)),
  ],
] as const)('a network trained by %s is PyTorch’s (needs torch)', async (loss, name, labels) => {
  const { stdout, stderr, status } = spawnSync('python3', ['-c', script], {
    input: JSON.stringify({
      loss: name,
      x: asJson(images),
      y: asJson(labels),
      weights: Object.fromEntries([...weights].map(([key, t]) => [key, asJson(t)])),
    }),
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  const theirs = JSON.parse(stdout) as { losses: number[]; weights: Record<string, number[]> };
  for (const [backend, apart] of [
    [oracleBackend(), 1e-13],
    [await ortBackend(), 2e-6],
  ] as const) {
    const { losses, left } = await ours(backend, loss, labels);
    const near = (a: number, b: number) => expect(Math.abs(a - b)).toBeLessThanOrEqual(apart);
    losses.forEach((value, k) => {
      near(value, theirs.losses[k]);
    });
    for (const [key, values] of Object.entries(theirs.weights)) {
      toFloat64(left.get(key)!).forEach((value, i) => {
        near(value, values[i]);
      });
    }
    expect(losses[4]).toBeLessThan(losses[0]);
  }
});
