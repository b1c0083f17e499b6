import type { Expectation } from '../judge/expectation.ts';
import { meanAbsBar } from '../judge/orderOfOne.ts';
import { tolerances } from '../judge/tolerances.ts';
import { recorded, recordedNames } from '../reference/recorded.ts';
import type { Reference } from '../reference/reference.ts';
import { evaluating } from './evaluationBatch.ts';
import { sameStart } from './sameStart.ts';
import type { Stage, StageContext } from './stage.ts';

/**
 * Evaluation mode, the fixed fake images or the reference's own. The logits come from the program as it is used in
 * earnest; every layer's output from a second one that keeps them all.
 */
export const forward: Stage = (reference) => [
  sameStart,
  {
    run: (context) => outputs(context, layersOf(reference)),
    expect: () => expectations(reference),
  },
];

const layersOf = (reference: Reference): string[] =>
  recordedNames(reference.arrays(reference.stage('forward').file), '').filter(
    (name) => name !== 'logits',
  );

/** In a network so deep that PyTorch's own worst layer comes near the bar, the bar is four times that. */
function expectations(reference: Reference): Expectation[] {
  const section = reference.stage('forward');
  const arrays = reference.arrays(section.file);
  const relativeL2 = Math.max(
    tolerances.relativeL2,
    tolerances.lossNoiseFactor * (section.noise?.layers?.worst ?? 0),
  );
  const rule = (name: string) =>
    ({ kind: 'float64', record: recorded(arrays, name)!, tolerance: { relativeL2 } }) as const;
  const logits = rule('logits');
  return [
    ...layersOf(reference).map((name) => ({ name, rule: rule(name) })),
    { name: 'logits', rule: { ...logits, meanAbs: meanAbsBar(logits.record.pytorch) } },
  ];
}

async function outputs(context: StageContext, layers: readonly string[]) {
  const { ask, holds, inputs } = evaluating(context, context.reference.stage('forward'));
  const logits = await ask(['logits']);
  const outputs = await ask(layers.filter(holds));
  return { recording: new Map([...outputs, ...logits]), inputs: inputs.slice(0, 1) };
}
