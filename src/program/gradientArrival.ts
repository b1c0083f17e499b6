import { input } from '../ir/build.ts';
import { forwardPass, type Network } from '../nn/module.ts';

/**
 * Names of the parameters in the order in which PyTorch's backward pass ends their gradients: layers from the last to
 * the first that ran, of each the weight before the bias, but a linear layer's bias before its weight, which is
 * transposed on the way. It depends only on the network.
 */
export function gradientArrival(model: Network): string[] {
  const pass = forwardPass(model, { mode: 'train' });
  model.forward(input('images', [2, ...model.image]), pass);
  const parameters = model.state.filter(({ role }) => role === 'parameter');
  return [...pass.outputs.keys()].reverse().flatMap((layer) => {
    const own = parameters.filter(({ name }) => name.slice(0, name.lastIndexOf('.')) === layer);
    const names = own.map(({ name }) => name);
    return own.some(({ shape }) => shape.length === 2) ? names.reverse() : names;
  });
}
