import type { ProbeKind } from '../align/reference/probe.ts';
import type { Shape } from '../tensor/shape.ts';

/** What a tensor is by the end of its name, as the stages and PyTorch have it; the first that fits. */
const kinds: readonly (readonly [RegExp, ProbeKind])[] = [
  [/(?:\.output|\/x)\.grad$/, 'output gradient'],
  [/[./](?:weight|bias)\.grad$/, 'weight gradient'],
  [/\.(?:weight|bias)$/, 'weight'],
  [/[./](?:running_mean|running_var)$/, 'buffer'],
  [/\.(?:weight|bias)\.\w+$/, 'optimizer state'],
  [/(?:^|\W)loss(?:\W|$)/i, 'loss'],
  [/^predictions$/, 'prediction'],
];

/** The kind of a tensor of ours by its name within its step; what has no other is a layer's output. */
export const kindOf = (bare: string): ProbeKind =>
  kinds.find(([ending]) => ending.test(bare))?.[1] ?? 'output';

const ofOutputs = ['', '', 'NC', '', 'NCHW'];
const ofWeights = ['', '', 'OI', '', 'OIHW'];

const layouts: { readonly [K in ProbeKind]?: readonly string[] } = {
  output: ofOutputs,
  'output gradient': ofOutputs,
  weight: ofWeights,
  'weight gradient': ofWeights,
  'optimizer state': ofWeights,
};

/** Names of the axes of a tensor of ours, one letter each; undefined where they have none. */
export const layoutOf = (kind: ProbeKind, shape: Shape): string | undefined =>
  layouts[kind]?.[shape.length] || undefined;
