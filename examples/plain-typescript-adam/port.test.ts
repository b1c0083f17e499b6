import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import 'swa-align/vitest';
import { judge, openReference } from 'swa-align';
import { run } from './port.ts';

const ref = openReference(fileURLToPath(new URL('ref', import.meta.url)));

test('three steps align with PyTorch: outputs, gradients, weights and what Adam keeps', () => {
  expect(run(ref)).toAlignWith(ref);
});

test('eps inside the root is named as the update of a weight, everything before it being right', () => {
  const { diverges } = judge(run(ref, 'eps inside the root'), ref);
  expect(diverges[0].name).toMatch(/^[02]\.(weight|bias)$/);
  expect(diverges.every(({ name }) => /^[02]\.(weight|bias)$/.test(name))).toBe(true);
});

test('a slope of tanh taken from its input is named by the layer', () => {
  const { diverges } = judge(run(ref, 'tanh’s slope from its input'), ref);
  expect(diverges.map(({ name, layer, what }) => [name, layer, what])).toEqual([
    ['0.output.grad', '1', 'Tanh()'],
  ]);
});
