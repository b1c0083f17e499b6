import type { Shape } from '../../src/tensor/shape.ts';
import { defaultLayerSteps, type InitPlan, type InitStep } from '../../src/torch/initialise.ts';

/** Index in `features`, input channels, output channels. */
const convolutions = [
  [0, 3, 64],
  [2, 64, 64],
  [5, 64, 128],
  [7, 128, 128],
  [10, 128, 256],
  [12, 256, 256],
  [14, 256, 256],
  [17, 256, 512],
  [19, 512, 512],
  [21, 512, 512],
  [24, 512, 512],
  [26, 512, 512],
  [28, 512, 512],
] as const;

/** Index in `classifier`, outputs. */
const linears = [
  [1, 512],
  [4, 512],
  [6, 10],
] as const;

/** VGG-16 for ten classes as the SWA authors' models/vgg.py builds it. */
export function vgg16Plan(): InitPlan {
  const shapes = new Map<string, Shape>();
  const steps: InitStep[] = [];
  const layer = (name: string, shape: Shape): void => {
    shapes.set(`${name}.weight`, shape).set(`${name}.bias`, shape.slice(0, 1));
    steps.push(...defaultLayerSteps(name, shape));
  };
  for (const [i, from, to] of convolutions) layer(`features.${i}`, [to, from, 3, 3]);
  for (const [i, to] of linears) layer(`classifier.${i}`, [to, 512]);
  for (const [i, , to] of convolutions) {
    const std = Math.sqrt(2 / (9 * to));
    steps.push(
      { kind: 'normal', name: `features.${i}.weight`, mean: 0, std },
      { kind: 'zeros', name: `features.${i}.bias` },
    );
  }
  return { shapes, steps };
}
