import { describe, expect, it } from 'vitest';
import type { Node } from '../../ir/node.ts';
import type { Op } from '../../ir/op.ts';
import { vgg } from '../../nn/models/vgg.ts';
import { evaluationStep } from '../../program/evaluationStep.ts';
import { gradientOf, outputGradientOf } from '../../program/program.ts';
import { trainingStep } from '../../program/trainingStep.ts';
import { type Plan, planOf } from './plan.ts';

const model = vgg({ depth: 16, batchNorm: true, classes: 10, narrow: 16 });
const images = [2, 3, 32, 32];
const program = trainingStep(model, {
  images,
  dropout: true,
  optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
});
const parameters = model.state.flatMap(({ name, role }) => (role === 'parameter' ? [name] : []));

/** Ops that only our adjoints of these models use. */
const adjointOps: readonly Op[] = [
  'reluGrad',
  'conv2dInputGrad',
  'conv2dWeightGrad',
  'maxPool2dGrad',
];

const opsOf = ({ steps, differentiated }: Plan): Set<Op> =>
  new Set([...steps, ...(differentiated?.steps ?? [])].map((node: Node) => node.op));

describe('the plan of a training step', () => {
  it('runs none of our adjoints when the library differentiates, and all of them when it does not', () => {
    const own = opsOf(planOf(program, ['loss'], 'own'));
    expect(adjointOps.filter((op) => own.has(op))).toEqual([]);
    const ours = opsOf(planOf(program, ['loss'], 'ir'));
    expect(adjointOps.filter((op) => ours.has(op))).toEqual(adjointOps);
  });

  it('asks for the gradient of every parameter, and of what else is fetched', () => {
    const { differentiated } = planOf(program, ['loss', outputGradientOf('features.2')], 'own');
    const asked = new Set(differentiated?.wanted.map(({ gradient }) => gradient));
    for (const name of [...parameters.map(gradientOf), outputGradientOf('features.2')]) {
      expect(asked, name).toContain(program.fetches.get(name));
    }
    expect(asked.size).toBe(parameters.length + 1);
  });

  it('computes every needed value exactly once', () => {
    const { differentiated, steps, nextState } = planOf(program, ['loss'], 'own');
    const computed = [...(differentiated?.steps ?? []), ...steps].filter((n) => n.op !== 'input');
    expect(new Set(computed).size).toBe(computed.length);
    const known = new Set([...computed, ...differentiated!.wanted.map((w) => w.gradient)]);
    for (const next of nextState.values()) expect(known).toContain(next);
  });
});

it('differentiates nothing where nobody needs a gradient', () => {
  expect(planOf(evaluationStep(model, images), ['loss'], 'own').differentiated).toBeUndefined();
});
