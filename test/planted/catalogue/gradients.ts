import type { AdjointRule } from '../../../src/autodiff/rule.ts';
import {
  add,
  avgPool2dGrad,
  conv2dInputGrad,
  conv2dWeightGrad,
  matmul,
  maxPool2dGrad,
  mul,
  relu,
  reluGrad,
  sub,
  transpose,
} from '../../../src/ir/build.ts';
import type { Node } from '../../../src/ir/node.ts';
import { causes } from '../causes.ts';
import { type Family, inGraph, inModule, type Plant } from '../plant.ts';
import { rearranged, turned } from '../rearranged.ts';
import type { Site } from '../rewriteProgram.ts';

const readsWeight = (node: Node, layer: string): boolean =>
  node.inputs.some((x) => x.op === 'input' && x.params.name === `${layer}.weight`);

/** Another kernel for the input gradient of one convolution. */
const inputGradient = (layer: string, change: (w: Node, site: Site) => Node): Plant =>
  inGraph((node, site) => {
    if (node.op !== 'conv2dInputGrad' || !readsWeight(node, layer)) return undefined;
    const [dy, w] = site.inputs;
    return conv2dInputGrad(dy, change(w, site), node.params);
  });

/** Something done to the gradient that has this name. */
const gradientNamed = (name: string, change: (gradient: Node, site: Site) => Node): Plant =>
  inGraph((_, site) => (site.named(name) ? change(site.same(), site) : undefined));

/** The place of a window's last winner: the first one, looked at from behind. */
const lastWins = (node: Node<'maxPool2dGrad'>, site: Site): Node => {
  const [x, dy] = site.inputs.map((t) => turned(t, site));
  return turned(maxPool2dGrad(x, dy, node.params), site);
};

export const gradients: Family = {
  name: 'gradients',
  looks: [
    { model: 'vgg16', stage: 'ops' },
    { model: 'vgg16', stage: 'backward' },
  ],
  bugs: [
    {
      name: 'the gradient of a sum divided by its size',
      people: 'take the adjoint of the mean',
      plants: [
        inModule<typeof import('../../../src/autodiff/shapeOps.ts')>(
          'autodiff/shapeOps.ts',
          ({ shapeOps }, took) => ({
            shapeOps: {
              ...shapeOps,
              reduceSum: (y, dy) => {
                took();
                const [x] = y.inputs;
                const size = y.params.axes.reduce((n, axis) => n * x.shape[axis], 1);
                return (shapeOps.reduceSum as AdjointRule<'reduceSum'>)(y, mul(dy, 1 / size));
              },
            },
          }),
        ),
      ],
      cause: { reads: 'averaged, not summed', says: /averaged|divided by/ },
      caught: { model: 'vgg16', stage: 'ops', at: 'sum/x.grad' },
    },
    {
      name: 'kernel not flipped in the input gradient',
      people: 'convolve dy with the kernel as it lies',
      plants: [inputGradient('features.7', turned)],
      cause: { reads: 'the weight is turned by 180° on the way back', says: /turned|180°/ },
      caught: { model: 'vgg16', stage: 'backward', at: 'features.7' },
    },
    {
      name: 'rows and columns of the padding exchanged in the input gradient',
      people: 'cut the padding off in the other order; square kernels do not show it',
      plants: [
        inGraph((node, site) => {
          if (node.op !== 'conv2dInputGrad') return undefined;
          const { padding, inputSize } = node.params;
          const [above, before] = padding;
          if (above === before) return undefined;
          const [dy, w] = site.inputs;
          const [height, width] = inputSize;
          const uncut = conv2dInputGrad(dy, w, {
            ...node.params,
            padding: [0, 0],
            inputSize: [height + 2 * above, width + 2 * before],
          });
          return rearranged(uncut, site, [height, width], (row, column) => [
            row + before,
            column + above,
          ]);
        }),
      ],
      cause: {
        reads: 'shifted: rows and columns of the padding are exchanged',
        says: /padding|shifted/,
      },
      caught: { model: 'vgg16', stage: 'ops', at: 'conv2d of unequal sides/x.grad' },
    },
    {
      name: 'in- and out-channels not swapped in the input gradient',
      people: 'convolve dy with the forward kernel; where both are as many, it fits',
      plants: [inputGradient('features.12', (w) => transpose(w, [1, 0, 2, 3]))],
      cause: { reads: 'its weight is transposed on the way back', says: /transposed|IOHW/ },
      caught: { model: 'vgg16', stage: 'backward', at: 'features.12' },
    },
    {
      name: 'weight gradient transposed',
      people: 'accumulate [out, in] as [in, out]',
      plants: [
        inGraph((node, { inputs: [x, dy], named }) =>
          node.op === 'conv2dWeightGrad' && named('features.19.weight.grad')
            ? transpose(conv2dWeightGrad(x, dy, node.params), [1, 0, 2, 3])
            : undefined,
        ),
      ],
      cause: { reads: 'the gradient is transposed: IOHW', says: /transposed|IOHW/ },
      caught: { model: 'vgg16', stage: 'backward', at: 'features.19' },
    },
    {
      name: 'weight gradient averaged over the batch',
      people: 'divide by n a gradient whose loss is a mean already',
      plants: [gradientNamed('features.0.weight.grad', (g) => mul(g, 1 / 4))],
      cause: { reads: 'averaged over the batch once more', says: /averaged over (the batch|4\b)/ },
      caught: { model: 'vgg16', stage: 'backward', at: 'features.0' },
    },
    {
      name: 'bias gradient averaged over the maps',
      people: 'take the mean where the sum belongs',
      plants: [gradientNamed('features.14.bias.grad', (g) => mul(g, 1 / 64))],
      cause: {
        reads: 'averaged over the 64 places of a map, not summed',
        says: /averaged over (64|the (map|place|pixel)s?)|^0\.01562?5? ×/,
      },
      caught: { model: 'vgg16', stage: 'backward', at: 'features.14' },
    },
    {
      name: 'linear input gradient by the transposed weight',
      people: 'multiply dy by Wᵀ; a square weight fits',
      plants: [
        inGraph((node, { inputs: [dy, w] }) =>
          node.op === 'matmul' &&
          node.inputs[1].op === 'input' &&
          !node.params.transposeB &&
          readsWeight(node, 'classifier.4')
            ? matmul(dy, w, { transposeB: true })
            : undefined,
        ),
      ],
      cause: { reads: 'its weight is transposed on the way back', says: /transposed/ },
      caught: { model: 'vgg16', stage: 'backward', at: 'classifier.4' },
    },
    {
      name: 'ReLU passes the gradient at 0',
      people: 'compare x ≥ 0',
      plants: [
        inGraph((node, { inputs: [dy, y] }) => {
          if (node.op !== 'reluGrad') return undefined;
          const [x] = y.inputs;
          return sub(dy, reluGrad(dy, relu(mul(x, -1))));
        }),
      ],
      cause: causes.kink,
      caught: { model: 'vgg16', stage: 'ops', at: 'relu/x.grad' },
    },
    {
      name: 'ReLU passes every gradient',
      people: 'forget the mask in a hand-written adjoint',
      plants: [
        inGraph((node, { inputs: [dy], program }) =>
          node.op === 'reluGrad' && node.inputs[1] === program.fetches.get('features.8')
            ? dy
            : undefined,
        ),
      ],
      cause: { reads: 'sent back without the derivative of the ReLU', says: /derivative|ReLU/ },
      caught: { model: 'vgg16', stage: 'backward', at: 'features.8' },
    },
    {
      name: 'ties in max-pool go to the last',
      people: 'compare with ≥ where PyTorch has >',
      plants: [
        inGraph((node, site) => (node.op === 'maxPool2dGrad' ? lastWins(node, site) : undefined)),
      ],
      cause: causes.tie,
      caught: { model: 'vgg16', stage: 'ops', at: 'maxPool2d with ties/x.grad' },
    },
    {
      name: 'ties in max-pool share the gradient',
      people: 'divide among equal maxima, as subgradients allow',
      plants: [
        inGraph((node, site) => {
          if (node.op !== 'maxPool2dGrad') return undefined;
          const [x, dy] = site.inputs;
          return mul(add(maxPool2dGrad(x, dy, node.params), lastWins(node, site)), 0.5);
        }),
      ],
      cause: causes.tie,
      caught: { model: 'vgg16', stage: 'ops', at: 'maxPool2d with ties/x.grad' },
    },
    {
      name: 'max-pool spreads its gradient over the window',
      people: "take average pooling's adjoint",
      plants: [
        inGraph((node, { inputs: [, dy], program }) => {
          if (node.op !== 'maxPool2dGrad') return undefined;
          if (node.inputs[0] !== program.fetches.get('features.3')) return undefined;
          const [, , height, width] = node.shape;
          return avgPool2dGrad(dy, { ...node.params, inputSize: [height, width] });
        }),
      ],
      cause: { reads: 'sent back as average pooling does', says: /average|spread/i },
      caught: { model: 'vgg16', stage: 'backward', at: 'features.4' },
    },
    {
      name: 'the gradient stops at a layer',
      people: 'detach, or read back to the host, on the way',
      plants: [inputGradient('features.10', (w) => mul(w, 0))],
      cause: { reads: 'zero everywhere: nothing reached it', says: /zero everywhere/ },
      caught: { model: 'vgg16', stage: 'backward', at: 'features.10' },
    },
    {
      name: 'gradient clipped by value',
      people: 'leave a clipping on',
      plants: [
        gradientNamed('classifier.4.weight.grad', (g) =>
          // min(g, c) = c − relu(c − g)
          sub(1e-3, relu(sub(1e-3, g))),
        ),
      ],
      cause: { reads: 'clipped at 0.001', says: /clipped/ },
      caught: { model: 'vgg16', stage: 'backward', at: 'classifier.4' },
    },
  ],
};
