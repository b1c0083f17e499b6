/** Mistakes in what a layer computes. */
import {
  avgPool2d,
  conv2d,
  logSoftmax,
  matmul,
  maxPool2d,
  mul,
  pair,
  relu,
  reshape,
  sub,
  transpose,
} from '../../../src/ir/build.ts';
import type { Node } from '../../../src/ir/node.ts';
import { sizeOf } from '../../../src/tensor/shape.ts';
import { causes } from '../causes.ts';
import { type Family, inGraph, inModule, type Plant } from '../plant.ts';
import { rearranged, turned } from '../rearranged.ts';
import type { Site } from '../rewriteProgram.ts';

type Layers = typeof import('../../../src/nn/layers.ts');

/** Whether a node reads this parameter or buffer directly. */
const reads = (node: Node, name: string): boolean =>
  node.inputs.some((x) => x.op === 'input' && x.params.name === name);

const isConv = (node: Node, layer: string): node is Node<'conv2d'> =>
  node.op === 'conv2d' && reads(node, `${layer}.weight`);

/** Another weight for one layer's convolution. */
const convWeight = (layer: string, change: (w: Node, site: Site) => Node): Plant =>
  inGraph((node, site) => {
    if (!isConv(node, layer)) return undefined;
    const [x, w] = site.inputs;
    return conv2d(x, change(w, site), node.params);
  });

/** Windows begin at the first place, not one before it: of twice the padding, those one padding further. */
function paddedBelow(node: Node<'conv2d'>, site: Site): Node {
  const [x, w] = site.inputs;
  const { stride, padding } = node.params;
  const all = conv2d(x, w, { stride, padding: pair(2 * padding[0]) });
  const skipped = (2 * padding[0]) / stride[0];
  const [, , height, width] = node.shape;
  return rearranged(all, site, [height, width], (row, column) => [row + skipped, column + skipped]);
}

export const layers: Family = {
  name: 'layers',
  looks: [
    { model: 'vgg16', stage: 'ops' },
    { model: 'vgg16', stage: 'forward' },
    { model: 'vgg16bn', stage: 'forward' },
    { model: 'vgg16', stage: 'backward' },
    { model: 'vgg16bn', stage: 'backward' },
  ],
  bugs: [
    {
      name: 'linear weight not transposed',
      people: 'read [out, in] as [in, out], as Paddle and TensorFlow keep it; a square one fits',
      plants: [
        inGraph((node, { inputs: [a, b] }) =>
          node.op === 'matmul' && node.params.transposeB && reads(node, 'classifier.4.weight')
            ? matmul(a, b)
            : undefined,
        ),
      ],
      cause: causes.weightTransposed,
      caught: { model: 'vgg16', stage: 'forward', at: 'classifier.4' },
    },
    {
      name: 'linear bias forgotten',
      people: 'copy weights only',
      plants: [
        inGraph((node, { inputs: [a] }) =>
          node.op === 'add' && reads(node, 'classifier.1.bias') ? a : undefined,
        ),
      ],
      cause: causes.noBias,
      caught: { model: 'vgg16', stage: 'forward', at: 'classifier.1' },
    },
    {
      name: 'convolution bias forgotten',
      people: 'copy weights only; zero at the start, so no first forward pass shows it',
      plants: [
        inGraph((node, { inputs: [a] }) =>
          node.op === 'add' && node.inputs[0].op === 'conv2d' ? a : undefined,
        ),
      ],
      cause: causes.noBias,
      caught: { model: 'vgg16', stage: 'ops', at: 'conv2d/y' },
    },
    {
      name: 'maps flattened as NHWC',
      people: 'flatten channels-last activations under channels-first weights',
      plants: [
        inGraph((node, { inputs: [x] }) =>
          node.op === 'reshape' && x.shape.length === 4 && node.shape.length === 2
            ? reshape(transpose(x, [0, 2, 3, 1]), node.shape)
            : undefined,
        ),
      ],
      cause: { reads: 'the maps lie in the order NHWC', says: /N?HWC/ },
      caught: { model: 'vgg16', stage: 'ops', at: 'flatten/y' },
    },
    {
      name: 'images and channels mixed up on flattening',
      people: 'reshape [c, n] to [n, c] where they should transpose',
      plants: [
        inGraph((node, { inputs: [x] }) =>
          node.op === 'reshape' &&
          x.shape.length === 4 &&
          node.shape.length === 2 &&
          node.shape[1] === 512
            ? reshape(transpose(x, [1, 0, 2, 3]), node.shape)
            : undefined,
        ),
      ],
      cause: {
        reads: 'images and channels are in the other order, CN',
        says: /order CN|images and channels|transposed/,
      },
      caught: { model: 'vgg16', stage: 'forward', at: 'classifier.0' },
    },
    {
      name: 'kernel read as HWIO',
      people: 'load a TensorFlow kernel by reshape',
      plants: [
        convWeight('features.5', (w) => {
          const [o, i, h, k] = w.shape;
          return transpose(reshape(w, [h, k, i, o]), [3, 2, 0, 1]);
        }),
      ],
      cause: { reads: 'its weight lies in the order HWIO', says: /HWIO/ },
      caught: { model: 'vgg16', stage: 'forward', at: 'features.5' },
    },
    {
      name: 'kernel with height and width swapped',
      people: 'transpose once too often',
      plants: [convWeight('features.7', (w) => transpose(w, [0, 1, 3, 2]))],
      cause: {
        reads: 'rows and columns of its weight are exchanged: OIWH',
        says: /OIWH|rows and columns.*(exchanged|swapped)/,
      },
      caught: { model: 'vgg16', stage: 'forward', at: 'features.7' },
    },
    {
      name: 'true convolution instead of cross-correlation',
      people: 'turn the kernel, as scipy.signal.convolve does',
      plants: [convWeight('features.10', turned)],
      cause: causes.weightTurned,
      caught: { model: 'vgg16', stage: 'forward', at: 'features.10' },
    },
    {
      name: 'padding on one side only',
      people: "take TensorFlow's SAME, which pads below and right",
      plants: [
        inGraph((node, site) => {
          return isConv(node, 'features.17') ? paddedBelow(node, site) : undefined;
        }),
      ],
      cause: causes.paddedOnOneSide,
      caught: { model: 'vgg16', stage: 'forward', at: 'features.17' },
    },
    {
      name: 'padding on the wrong side under a stride',
      people: "take TensorFlow's SAME, which agrees on odd maps alone",
      plants: [
        inGraph((node, site) => {
          return node.op === 'conv2d' && node.params.stride[0] === 2
            ? paddedBelow(node as Node<'conv2d'>, site)
            : undefined;
        }),
      ],
      cause: causes.paddedOnOneSide,
      caught: { model: 'vgg16', stage: 'ops', at: 'conv2d with stride/y' },
    },
    {
      name: 'ceil pooling',
      people: 'round odd maps up, as Caffe does',
      plants: [
        inModule<Layers>('nn/layers.ts', (real) => ({
          maxPoolLayer: (layer, size) => {
            const module = real.maxPoolLayer(layer, size);
            const [side] = pair(size);
            return {
              ...module,
              // A border of one makes an odd map's windows begin outside; its shape is ceil's.
              forward: (x, pass) =>
                x.shape[2] % side === 0
                  ? module.forward(x, pass)
                  : maxPool2d(x, { kernel: pair(size), stride: pair(size), padding: pair(1) }),
            };
          },
        })),
      ],
      cause: {
        reads: 'another rounding of odd maps: windows begin or end outside',
        says: /ceil|outside|odd map|padding of 1/,
      },
      caught: { model: 'vgg16', stage: 'ops', at: 'maxPool2d of odd maps/y' },
    },
    {
      name: 'average pooling instead of max',
      people: 'take the other pooling of a library',
      plants: [
        inGraph((node, { inputs: [x], named }) =>
          node.op === 'maxPool2d' && named('features.4') ? avgPool2d(x, node.params) : undefined,
        ),
      ],
      cause: {
        reads: 'average pooling, the reference takes the maximum',
        says: /average|avgpool|the mean of (its|the) window/i,
      },
      caught: { model: 'vgg16', stage: 'forward', at: 'features.4' },
    },
    {
      name: 'overlapping pooling',
      people: 'pool 3×3 with stride 2 and padding 1, as ResNets do: the same shape',
      plants: [
        inGraph((node, { inputs: [x], named }) =>
          node.op === 'maxPool2d' && named('features.9')
            ? maxPool2d(x, { kernel: pair(3), stride: pair(2), padding: pair(1) })
            : undefined,
        ),
      ],
      cause: {
        reads: 'windows of 3×3 that overlap, the reference has 2×2',
        says: /3×3|kernel 3|kernel_size=3|overlap/,
      },
      caught: { model: 'vgg16', stage: 'forward', at: 'features.9' },
    },
    {
      name: 'a ReLU left out',
      people: 'forget the one between two linear layers',
      plants: [
        inGraph((node, { inputs: [x], named }) =>
          node.op === 'relu' && named('classifier.5') ? x : undefined,
        ),
      ],
      cause: causes.noActivation,
      caught: { model: 'vgg16', stage: 'forward', at: 'classifier.5' },
    },
    {
      name: 'leaky ReLU',
      people: "take a library's default activation",
      plants: [
        inGraph((node, { inputs: [x], named }) =>
          node.op === 'relu' && named('features.3')
            ? sub(relu(x), mul(relu(mul(x, -1)), 0.01))
            : undefined,
        ),
      ],
      cause: { reads: "leaky ReLU is computed, the reference's is ReLU", says: /leaky/i },
      caught: { model: 'vgg16', stage: 'forward', at: 'features.3' },
    },
    {
      name: 'dropout on in evaluation',
      people: 'forget eval()',
      plants: [
        inGraph((node, { inputs: [x], program, named, given }) => {
          if (program.name !== 'evaluation' || !named('classifier.0')) return undefined;
          const flat = reshape(x, node.shape);
          const kept = Float32Array.from(
            { length: sizeOf(node.shape) },
            (_, i) => 2 * ((i * 7) % 2),
          );
          return mul(flat, given(kept, node.shape));
        }),
      ],
      cause: { reads: 'dropout is active in evaluation', says: /dropout is (active|on)/ },
      caught: { model: 'vgg16', stage: 'forward', at: 'classifier.0' },
    },
    {
      name: 'dropout not scaled in training',
      people: 'scale in evaluation, as the first papers did',
      plants: [
        inModule<Layers>('nn/layers.ts', (real) => ({
          dropoutLayer: (layer, p, width) => ({
            ...real.dropoutLayer(layer, 0, width),
            dropouts: [{ layer, p, width }],
          }),
        })),
      ],
      cause: {
        reads: 'what dropout keeps is not scaled by 1/(1−p)',
        says: /not scaled by 1\/\(1−p\)/,
      },
      caught: { model: 'vgg16', stage: 'ops', at: 'dropout/y' },
    },
    {
      name: 'dropout scaled by 1/p',
      people: 'take p for the share that is kept; the same at one half',
      plants: [
        inModule<Layers>('nn/layers.ts', (real) => ({
          dropoutLayer: (layer, p, width) => ({
            ...real.dropoutLayer(layer, 1 - p, width),
            dropouts: [{ layer, p, width }],
          }),
        })),
      ],
      cause: { reads: 'what dropout keeps is scaled by 1/p, not by 1/(1−p)', says: /by 1\/p\b/ },
      caught: { model: 'vgg16', stage: 'ops', at: 'dropout/y' },
    },
    {
      name: 'one mask for both dropouts',
      people: 'draw a mask once and share the layer',
      plants: [
        inGraph((node, { program }) =>
          node.op === 'input' && node.params.name === 'mask1'
            ? program.inputs.get('mask0')
            : undefined,
        ),
      ],
      cause: {
        reads: "dropout by the other layer's mask",
        says: /another dropout mask|dropout by another mask|the other (layer|dropout)'s mask/,
      },
      caught: { model: 'vgg16', stage: 'backward', at: 'classifier.3' },
    },
    {
      name: 'log-softmax along the batch',
      people: 'take the first axis for the last',
      plants: [
        inGraph((node, { inputs: [x] }) =>
          node.op === 'logSoftmax'
            ? transpose(logSoftmax(transpose(x, [1, 0])), [1, 0])
            : undefined,
        ),
      ],
      cause: {
        reads: 'log-softmax along the batch, not along the classes',
        says: /along (the batch|images|axis (0|N))|(over|across) the (batch|images)/,
      },
      caught: { model: 'vgg16', stage: 'ops', at: 'logSoftmax of large logits/y' },
    },
    {
      name: 'dropout off in training',
      people: 'call eval() and never train() again',
      plants: [
        inGraph((node, { inputs: [x] }) =>
          node.op === 'mul' &&
          node.inputs[1].op === 'mul' &&
          node.inputs[1].inputs[0].op === 'input' &&
          node.inputs[1].inputs[0].params.name.startsWith('mask') &&
          node.inputs[0].op === 'input'
            ? x
            : undefined,
        ),
      ],
      cause: { reads: 'dropout is not active', says: /dropout is (not active|off|inactive)/ },
      caught: { model: 'vgg16', stage: 'ops', at: 'dropout/y' },
    },
    {
      name: 'average pooling adds up',
      people: 'sum over a window where the mean belongs',
      plants: [
        inGraph((node, { inputs: [x] }) => {
          if (node.op !== 'avgPool2d') return undefined;
          const [height, width] = node.params.kernel;
          return mul(avgPool2d(x, node.params), height * width);
        }),
      ],
      cause: {
        reads: 'summed over the window, not averaged',
        says: /summed|^6 ×|the sum of each window/,
      },
      caught: { model: 'vgg16', stage: 'ops', at: 'avgPool2d of unequal sides/y' },
    },
  ],
};
