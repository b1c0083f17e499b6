import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fixturesDirectory, openReference } from '../../align/reference/reference.ts';
import { type Tensor, type TensorMap, tensor, toFloat32 } from '../../tensor/tensor.ts';
import { manualSeed, skipU32 } from '../../torch/generator.ts';
import { type InitPlan, type InitStep, initialise } from '../../torch/initialise.ts';
import { initialOf } from './givenBy.ts';
import { causeOfInitial } from './initialWeights.ts';

/** The narrow VGG16BN of stage *epochs*: some of each of PyTorch's own weights, and their digests. */
const given = initialOf(openReference(join(fixturesDirectory, 'reference', 'vgg16bn')), 'epochs')!;
const { plan } = given;

const drawn = (by: InitPlan, before = 0, seed = given.seed): TensorMap => {
  const generator = manualSeed(seed);
  skipU32(generator, before);
  return initialise(by, generator);
};

const withSteps = (change: (step: InitStep, shape: readonly number[]) => InitStep): InitPlan => ({
  ...plan,
  steps: plan.steps.map((step) => change(step, plan.shapes.get(step.name)!)),
});

const said = (ours: TensorMap): string | undefined => causeOfInitial(ours, given)?.says;

const changed = (change: (x: number, i: number) => number): TensorMap =>
  new Map(
    [...drawn(plan)].map(([name, t]): [string, Tensor] => [
      name,
      tensor('float32', t.shape, toFloat32(t).map(change)),
    ]),
  );

it("PyTorch's own weights are no mistake, and what nothing explains has no cause", () => {
  expect(said(drawn(plan))).toBeUndefined();
  expect(said(changed((x, i) => x * (1 + 0.1 * Math.sin(i))))).toBeUndefined();
});

it('the wrong fan', () => {
  const fanIn = withSteps((step, [outputs, inputs]) =>
    step.kind === 'normal' ? { ...step, std: step.std * Math.sqrt(outputs / inputs) } : step,
  );
  expect(said(drawn(fanIn))).toMatch(
    /^features\.0\.weight 0\.816 × the reference's: scaled by fan-in, not by fan-out$/,
  );
});

it('another distribution of the same deviation', () => {
  const uniform = withSteps((step) =>
    step.kind === 'normal'
      ? { kind: 'uniform', name: step.name, bound: Math.sqrt(3) * step.std }
      : step,
  );
  expect(said(drawn(uniform))).toContain("drawn uniformly, the reference's normally");
});

it('zero, or between other bounds', () => {
  const bound = (by: number): InitPlan =>
    withSteps((step) => (step.kind === 'uniform' ? { ...step, bound: step.bound * by } : step));
  expect(said(drawn(bound(0)))).toContain('is zero everywhere');
  expect(said(drawn(bound(Math.sqrt(3))))).toContain("1.73 × the reference's");
});

it('other places of the generator, and how many draws away', () => {
  expect(said(drawn(plan, 5))).toContain('5 more draws before it');
  const last = new Map(plan.steps.map((step, i) => [step.name, i]));
  const steps = plan.steps.filter((step, i) => last.get(step.name) === i);
  expect(said(drawn({ ...plan, steps }))).toMatch(
    /\d+ fewer draws before it: defaults that are overwritten later are not drawn$/,
  );
  const twice = { ...plan, steps: [...plan.steps, ...plan.steps] };
  expect(said(drawn(twice))).toMatch(/\d+ more draws before it: everything is drawn twice$/);
});

it('another seed', () => {
  expect(said(drawn(plan, 0, given.seed + 1))).toContain(
    `drawn from another seed: ${given.seed + 1}, the reference's is ${given.seed}`,
  );
});

it('the last places', () => {
  const up = changed((x) => Math.fround(x * (1 + 2 ** -23)));
  expect(said(up)).toBe('the same but for the last places: the same draws, rounded otherwise');
});
