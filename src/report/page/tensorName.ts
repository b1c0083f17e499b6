import { type Html, html } from './html.ts';

/** Layers' names, and what each is. */
export type LayerWords = ReadonlyMap<string, string>;

/** What the layer is that a tensor belongs to: `iter0/features.1.weight.grad` is of `features.1`. */
export function layerWordsOf(tensor: string, layers: LayerWords): string | undefined {
  let name = tensor.slice(tensor.lastIndexOf('/') + 1);
  while (!layers.has(name) && name.includes('.')) {
    name = name.slice(0, name.lastIndexOf('.'));
  }
  return layers.get(name);
}

/** A tensor's name, and beside it what its layer is. */
export function tensorName(tensor: string, layers: LayerWords): Html | string {
  const words = layerWordsOf(tensor, layers);
  return words === undefined ? tensor : html`${tensor} <small>${words}</small>`;
}
