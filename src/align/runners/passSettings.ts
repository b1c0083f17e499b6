import { InputError } from '../../errors.ts';
import { printable } from '../../io/names.ts';
import type { Network } from '../../nn/module.ts';
import type { OptimizerSettings } from '../../optim/optimizer.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { inPass, type RecordedOptimizer } from '../reference/probe.ts';
import type { ProbeReference } from '../reference/probeReference.ts';

type Numbers = Readonly<Record<string, unknown>>;

const fix = 'judge your own program against it: swa-align judge OURS --reference …';

/** What no optimizer of ours does. */
const frills = ['dampening', 'maximize', 'amsgrad', 'decoupled_weight_decay'];

const numberOf = (group: Numbers, key: string): number => Number(group[key] ?? 0);

const betasOf = ({ betas }: Numbers): [number, number] => {
  const [first, second] = betas as readonly unknown[];
  return [Number(first), Number(second)];
};

const adam = (group: Numbers) => ({
  betas: betasOf(group),
  eps: numberOf(group, 'eps'),
  weightDecay: numberOf(group, 'weight_decay'),
});

/** torch.optim's classes, and their settings in our words. */
const kinds: Readonly<Record<string, (group: Numbers) => OptimizerSettings>> = {
  SGD: (group) => ({
    kind: 'sgd',
    momentum: numberOf(group, 'momentum'),
    weightDecay: numberOf(group, 'weight_decay'),
    ...(group.nesterov === true ? { nesterov: true } : {}),
  }),
  Adam: (group) => ({ kind: 'adam', ...adam(group) }),
  AdamW: (group) => ({ kind: 'adamw', ...adam(group) }),
};

/** The optimizer of a training step, and its learning rate there. Throws InputError for an optimizer that we do not have. */
export function optimizerOf(
  optimizers: readonly RecordedOptimizer[] | undefined,
  where: string,
): { readonly settings: OptimizerSettings; readonly lr: number } {
  const [one, ...others] = optimizers ?? [];
  const [group, ...groups] = one?.groups ?? [];
  if (group === undefined || others.length + groups.length > 0) {
    throw new InputError('our training step has one optimizer with one group of parameters', {
      where,
      fix,
    });
  }
  const settings = Object.hasOwn(kinds, one.kind) ? kinds[one.kind] : undefined;
  if (settings === undefined) {
    throw new InputError(`the optimizer ${printable(one.kind)} is not supported`, { where, fix });
  }
  // AdamW says of itself that its weight decay is decoupled.
  const unlike = frills.find(
    (key) => group[key] && !(one.kind === 'AdamW' && key === 'decoupled_weight_decay'),
  );
  if (unlike !== undefined) {
    throw new InputError(`our ${one.kind} has no ${unlike}`, { where, fix });
  }
  return { settings: settings(group), lr: numberOf(group, 'lr') };
}

/** What a pass is fed: images, and labels where it has some. Throws InputError where the batch is of another kind. */
export function batchOf(
  { probes, whole, where }: ProbeReference,
  { image }: Network,
  pass: number,
): { readonly images: Tensor<'float32'>; readonly labels?: Tensor<'int64'> } {
  const inputs = probes.filter((p) => p.kind === 'input' && p.pass === pass).map(whole);
  const images = inputs.filter((t) => t.dtype === 'float32' && t.shape.length > image.length);
  const labels = inputs.filter((t) => t.dtype === 'int64' && t.shape.length === 1);
  if (images.length !== 1 || labels.length > 1 || inputs.length > 2) {
    const found = inputs.map((t) => `${t.dtype} [${t.shape.join(', ')}]`).join(', ');
    throw new InputError(
      `pass ${pass} is fed ${found || 'nothing'}; our networks take images, and int64 labels`,
      { where, fix },
    );
  }
  return {
    images: images[0] as Tensor<'float32'>,
    ...(labels.length === 1 && { labels: labels[0] as Tensor<'int64'> }),
  };
}

/** The dropout masks of a pass, 1 = kept, in the order of the network's dropouts; undefined where nothing was dropped. */
export function masksOf(
  { probes, whole, where }: ProbeReference,
  { dropouts }: Network,
  pass: number,
): readonly Tensor[] | undefined {
  const draws = new Map(probes.flatMap((p) => (p.kind === 'draw' ? [[p.name, p] as const] : [])));
  const masks = dropouts.map(({ layer }) => draws.get(inPass(pass, `${layer}.mask`)));
  const held = masks.filter((mask) => mask !== undefined);
  if (held.length === 0) return undefined;
  if (held.length < masks.length) {
    const at = masks.indexOf(undefined);
    throw new InputError(`pass ${pass} holds no mask of ${dropouts[at].layer}`, { where, fix });
  }
  return held.map(whole);
}
