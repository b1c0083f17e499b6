import type { Backend } from '../../backends/backend.ts';
import { holding } from '../../backends/holding.ts';
import type { DType } from '../../ir/op.ts';
import type { Network } from '../../nn/module.ts';
import { evaluationStep } from '../../program/evaluationStep.ts';
import type { Program } from '../../program/program.ts';
import { trainingStep } from '../../program/trainingStep.ts';
import type { Shape } from '../../tensor/shape.ts';
import { type Tensor, zeros } from '../../tensor/tensor.ts';
import type { StageName } from '../reference/manifest.ts';
import type { Reference } from '../reference/reference.ts';
import { stagePasses } from '../stages/stagePasses.ts';

/** A stage that would take a backend longer is left out, unless the backend was named. */
const mostSecondsAStage = 300;

/** Seconds an image takes a backend: forward alone, and in a training step. */
interface Pace {
  readonly forward: number;
  readonly step: number;
}

/** Times the last of `runs` on an image of zeros, with weights of zeros. */
async function secondsOf(backend: Backend, program: Program, runs: number): Promise<number> {
  const blank = (shape: Shape, dtype: DType): Tensor =>
    zeros(dtype === 'int' ? 'int64' : 'float32', shape);
  const state = new Map(
    [...program.state].map(([name, { current }]) => [name, blank(current.shape, 'float')]),
  );
  const inputs = new Map(
    [...program.inputs].map(([name, node]) => [name, blank(node.shape, node.dtype)]),
  );
  return holding(backend, program, ['loss'], state, async (held) => {
    let start = 0;
    for (let i = 0; i < runs; i++) {
      start = performance.now();
      await held.run(inputs);
    }
    return (performance.now() - start) / 1000;
  });
}

/** A pace at which no stage takes long, however much more a step is than a pass forward. */
const fast = 0.2;

/** A step is timed only where it matters, and once: there are backends that need a minute for it. */
async function paceOf(backend: Backend, model: Network): Promise<Pace> {
  const images = [1, ...model.image];
  const forward = await secondsOf(backend, evaluationStep(model, images), 2);
  if (forward < fast) return { forward, step: 3 * forward };
  const settings = {
    images,
    optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 0 },
    dropout: true,
  } as const;
  return { forward, step: await secondsOf(backend, trainingStep(model, settings), 1) };
}

/** Stages of a reference in two heaps: those that are run, and those that would take too long, with the seconds. */
export async function affordable(
  backend: Backend,
  stages: readonly StageName[],
  { model, manifest }: Reference,
): Promise<{
  readonly run: readonly StageName[];
  readonly tooLong: ReadonlyMap<StageName, number>;
}> {
  const pace = await paceOf(backend, model);
  const seconds = stages.map((stage): [StageName, number] => {
    const { forward, steps } = stagePasses(manifest.stages, stage);
    return [stage, forward * pace.forward + steps * pace.step];
  });
  const tooLong = new Map(seconds.filter(([, expected]) => expected > mostSecondsAStage));
  return { run: stages.filter((stage) => !tooLong.has(stage)), tooLong };
}

export const tooLongText = (stages: ReadonlyMap<StageName, number>): string =>
  `${[...stages].map(([name, s]) => `${name} (${Math.round(s / 60)} min)`).join(', ')} would take it too long; name it with --backends to run them anyway`;
