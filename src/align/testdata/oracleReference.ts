import type { Backend } from '../../backends/backend.ts';
import type { Network } from '../../nn/module.ts';
import { gradientOf, outputGradientOf } from '../../program/program.ts';
import { type Tensor, type TensorMap, tensor, toFloat32 } from '../../tensor/tensor.ts';
import { recordedBatch } from '../reference/recordedBatch.ts';
import type { Reference } from '../reference/reference.ts';

const settings = { lr: 0.05, momentum: 0.9, weight_decay: 5e-4, dropout: 0.5 };

interface ReferenceParts {
  readonly model: Network;
  readonly weights: TensorMap;
  readonly batch: TensorMap;
  readonly iterations: number;
  /** Stands for PyTorch in float32. */
  readonly single: Backend;
  /** What PyTorch's layers are said to add by themselves; not recorded when absent. */
  readonly added?: number;
  /** The truth. */
  readonly oracle: Backend;
}

/**
 * A reference of a few training steps on any model and batch, every tensor whole: what PyTorch would have
 * recorded had it been these two backends. For models and batches too many to keep recordings of.
 */
export async function oracleReference(parts: ReferenceParts): Promise<Reference> {
  const { model, weights, batch, iterations, single, oracle } = parts;
  const files = new Map<string, TensorMap>([['kinkfree.npz', batch]]);
  const added: Record<string, number> = {};
  const sections = {
    backward: {
      file: 'backward.npz',
      kinkfree: {
        batch: 'kinkfree.npz',
        settings: { ...settings, iterations, images: 4, margin: 1e-6, noise_factor: 5 },
        cancelled: [],
        smallest_margin: 0,
      },
    },
    trace: {
      file: 'trace.npz',
      settings: { batch: 'kinkfree.npz', iteration: 0, weight_gradients: 'backward.npz' },
      noise: { added },
    },
  };
  const reference = {
    dir: '',
    manifest: { model: 'vgg16', weights: { seed: 0, sha256: {} }, stages: sections, files: {} },
    model,
    stage: (name: keyof typeof sections) => sections[name],
    arrays: (file: string) => files.get(file)!,
  } as unknown as Reference;

  const backward = new Map<string, Tensor>();
  const trace = new Map<string, Tensor>();
  for (const [prefix, backend] of [
    ['f32', single],
    ['f64', oracle],
  ] as const) {
    const put = (file: Map<string, Tensor>, key: string, value: Tensor): void => {
      const kept = prefix === 'f32' ? tensor('float32', value.shape, toFloat32(value)) : value;
      file.set(`${prefix}/${key}`, kept);
    };
    const { program, feeds, start } = recordedBatch(reference);
    const layers = [...program.fetches.keys()].filter((n) =>
      program.fetches.has(outputGradientOf(n)),
    );
    const parameters = model.state.filter(({ role }) => role === 'parameter');
    const gradients = parameters.map(({ name }) => gradientOf(name));
    const executable = await backend.compile(program, [
      'loss',
      ...layers,
      ...layers.map(outputGradientOf),
      ...gradients,
    ]);
    const state = await backend.upload(start(weights));
    for (let k = 0; k < iterations; k++) {
      const results = await executable.run(state, feeds(k));
      for (const name of ['loss', ...gradients]) {
        put(backward, `iter${k}/${name}`, results.get(name)!);
      }
      if (k > 0) continue;
      for (const name of layers.flatMap((layer) => [layer, outputGradientOf(layer)])) {
        put(trace, name, results.get(name)!);
      }
    }
    for (const [name, value] of await backend.download(state))
      put(backward, `final/${name}`, value);
    await executable.dispose();
  }
  if (parts.added !== undefined) {
    for (const key of [...backward.keys(), ...trace.keys()]) {
      added[key.replace(/^f\d\d\/(iter0\/)?/, '')] = parts.added;
    }
  }
  files.set('backward.npz', backward).set('trace.npz', trace);
  return reference;
}
