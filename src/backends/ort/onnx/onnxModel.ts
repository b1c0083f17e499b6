import * as ort from 'onnxruntime-node';
import { DeviceError } from '../../../errors.ts';
import { type Tensor, type TensorMap, tensor, toFloat32 } from '../../../tensor/tensor.ts';

/**
 * Runs an ONNX model that was made elsewhere, once, on the CPU: float32 in and out. It takes from `feeds`
 * the inputs it has. Throws DeviceError when ONNX Runtime refuses the model or an input is missing.
 */
export async function runOnnxModel(
  bytes: Uint8Array,
  feeds: TensorMap,
): Promise<Map<string, Tensor>> {
  try {
    const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
    const given = session.inputNames.flatMap((name) => {
      const t = feeds.get(name);
      return t === undefined ? [] : [[name, new ort.Tensor('float32', toFloat32(t), t.shape)]];
    });
    const results = await session.run(Object.fromEntries(given) as Record<string, ort.Tensor>);
    const values = new Map(
      session.outputNames.map((name): [string, Tensor] => {
        const { dims, data } = results[name];
        return [name, tensor('float32', dims, Float32Array.from(data as Float32Array))];
      }),
    );
    await session.release();
    return values;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DeviceError(`ONNX Runtime refused the model: ${why}`);
  }
}
