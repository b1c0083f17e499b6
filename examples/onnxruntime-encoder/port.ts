import * as ort from 'onnxruntime-node';
import { type PortReference, Recorder } from 'swa-align';
import { encoder, type Mistake, type WeightOf } from './encoder.ts';

/** The block on the weights and the batch of the reference, run by onnxruntime; every output recorded. */
export async function run(ref: PortReference, mistake: Mistake = 'none'): Promise<Recorder> {
  const weightOf: WeightOf = (name, layout) =>
    ref.weight(name, { dtype: 'float32', ...(layout && { layout }) });
  const { data, shape } = ref.input('input', { dtype: 'float32' });
  const outputs = ref.probes.filter(({ kind }) => kind === 'output');

  const session = await ort.InferenceSession.create(encoder(weightOf, shape, outputs, mistake), {
    executionProviders: ['cpu'],
  });
  const results = await session.run({ input: new ort.Tensor('float32', data, shape) });
  const rec = new Recorder(ref);
  for (const name of session.outputNames) rec.add(name, results[name]);
  await session.release();
  return rec;
}
