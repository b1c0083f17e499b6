/**
 * Writes a recording of many tensors, and a reference that it is right by: `largeRecording.ts FOLDER COUNT`. Of every
 * second tensor the reference holds all, of the others a sample.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gather, momentsOf, samplePositions } from '../../src/align/reference/samplePositions.ts';
import { writeSafetensorsTo } from '../../src/io/safetensors/safetensorsFile.ts';
import { sha256File } from '../../src/io/sha256/sha256File.ts';
import { randomNumbers } from '../../src/port/testdata/randomReference.ts';
import { type Tensor, tensor } from '../../src/tensor/tensor.ts';

const [folder, count] = [process.argv[2], Number(process.argv[3])];
const sizes = [16_000, 34_500];
const arrays = new Map<string, Tensor>();
const ours = new Map<string, Tensor>();
const probes = Array.from({ length: count }, (_, k) => {
  const size = sizes[k % 2];
  const name = `${k}.output`;
  const truth = tensor('float64', [size], randomNumbers(size, k));
  const single = tensor('float32', [size], Float32Array.from(truth.data));
  ours.set(name, single);
  if (k % 2 === 0) {
    arrays.set(`f32/${name}`, single);
    arrays.set(`f64/${name}`, truth);
  } else {
    const at = samplePositions(size, 4096);
    const { sum, sumOfSquares, min, max } = momentsOf(truth);
    arrays.set(`f32/${name}#sample`, gather(single, at));
    arrays.set(`f64/${name}#sample`, gather(truth, at));
    const stats = Float64Array.of(sum, sumOfSquares, min, max);
    arrays.set(`f64/${name}#stats`, tensor('float64', [4], stats));
  }
  return { name, kind: 'output', pass: 0, shape: [size], dtype: 'float32' };
});
mkdirSync(join(folder, 'ref'));
const file = 'tensors.safetensors';
writeSafetensorsTo(join(folder, 'ref', file), arrays);
writeSafetensorsTo(join(folder, 'ours.safetensors'), ours);
const manifest = {
  format: 'swa-align-reference/2',
  model: 'Large',
  torch: { version: '2.13.0' },
  tensors: { file, sha256: sha256File(join(folder, 'ref', file)) },
  passes: [{ kind: 'evaluation' }],
  probes,
};
writeFileSync(join(folder, 'ref', 'manifest.json'), JSON.stringify(manifest));
