/** In a file of its own: modules are loaded anew here, and errors of the one loading are strangers to the other. */
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { commandTest } from './testdata/commandTest.ts';

const { dir, errors } = commandTest('fault');
const out = () => join(dir, 'out');

it('is 70, in one line that names the layer, where a graph does not fit together', async () => {
  vi.resetModules();
  vi.doMock('../nn/layers.ts', async (original) => {
    const real = await original<typeof import('../nn/layers.ts')>();
    const unpadded: typeof real.convLayer = (layer, channels, options) =>
      real.convLayer(layer, channels, {
        ...options,
        padding: layer === 'features.28' ? 0 : options.padding,
      } as typeof options);
    return { ...real, convLayer: unpadded };
  });
  try {
    const { run: runMistaken } = await import('./run.ts');
    expect(await runMistaken(['diff', 'loss', '--model', 'vgg16', '--out', out()])).toBe(70);
  } finally {
    vi.doUnmock('../nn/layers.ts');
    vi.resetModules();
  }
  expect(errors).toHaveLength(1);
  expect(errors[0].split('\n')).toHaveLength(1);
  expect(errors[0]).toMatch(/please report it: GraphError: features\.28: .*does not fit/);
});
