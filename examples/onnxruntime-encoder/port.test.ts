import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import 'swa-align/vitest';
import { judge, openReference } from 'swa-align';
import { run } from './port.ts';

const ref = openReference(fileURLToPath(new URL('ref', import.meta.url)));

test('the encoder block aligns with PyTorch, layer by layer', async () => {
  expect(await run(ref)).toAlignWith(ref);
});

test('the tanh form of GELU is named, and its layer, all before it being right', async () => {
  const { diverges, verdicts } = judge(await run(ref, 'tanh GELU'), ref);
  expect(diverges.map(({ name, layer }) => [name, layer])).toEqual([['mlp.1.output', 'mlp.1']]);
  expect(diverges[0].cause?.says).toBe("GELU by tanh is computed, the reference's is GELU by erf");
  const wrong = verdicts.filter(({ inherits }) => inherits !== undefined).map(({ name }) => name);
  expect(wrong).toEqual(['mlp.2.output', 'add@1.output', 'output']);
});

test('attention scaled by 1/d is named as the attention, not as the layers it feeds', async () => {
  const { diverges } = judge(await run(ref, 'scaled by 1/d'), ref);
  expect(diverges.map(({ layer }) => layer)).toEqual(['attention.scaled_dot_product_attention']);
});
