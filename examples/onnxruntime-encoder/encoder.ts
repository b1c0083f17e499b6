/** A transformer's encoder block as an ONNX graph; its values bear PyTorch's names. */
import type { Tensor } from 'swa-align';
import { type OnnxFile, onnxFile, type Value } from './onnxFile.ts';

/** What people get wrong; `none` is right. */
export type Mistake = 'none' | 'tanh GELU' | 'scaled by 1/d';

/** A weight by its name in PyTorch; of a linear layer `in,out`, as MatMul wants it. */
export type WeightOf = (name: string, layout?: 'in,out') => Tensor<'float32'>;

export interface Wanted {
  readonly name: string;
  readonly shape: readonly number[];
}

const heads = 4;

function linear(file: OnnxFile, weightOf: WeightOf, layer: string, x: Value): Value {
  const weight = weightOf(`${layer}.weight`, 'in,out');
  const bias = weightOf(`${layer}.bias`);
  const w = file.floats(`${layer}.weight`, weight.data, weight.shape);
  const b = file.floats(`${layer}.bias`, bias.data, bias.shape);
  return file.node(`${layer}.output`, 'Add', [file.node(`${layer}.product`, 'MatMul', [x, w]), b]);
}

function layerNorm(file: OnnxFile, weightOf: WeightOf, layer: string, x: Value): Value {
  const [scale, shift] = ['weight', 'bias'].map((which) => {
    const { data, shape } = weightOf(`${layer}.${which}`);
    return file.floats(`${layer}.${which}`, data, shape);
  });
  return file.node(`${layer}.output`, 'LayerNormalization', [x, scale, shift], {
    axis: -1n,
    epsilon: 1e-5,
  });
}

/** softmax(q·kᵀ / √d)·v of every head, from [n, length, 3·width] to [n, heads, length, d]. */
function attend(file: OnnxFile, layer: string, qkv: Value, d: number, mistake: Mistake): Value {
  const apart = file.ints(`${layer}.apart`, [0, 0, 3, heads, d]);
  const parts = file.node(`${layer}.parts`, 'Reshape', [qkv, apart]);
  const stacked = file.node(`${layer}.stacked`, 'Transpose', [parts], {
    perm: [2n, 0n, 3n, 1n, 4n],
  });
  const [q, k, v] = ['q', 'k', 'v'].map((name, i) => {
    const at = file.ints(`${layer}.${name}.at`, [i]);
    const taken = file.node(`${layer}.${name}.taken`, 'Gather', [stacked, at], { axis: 0n });
    return file.node(`${layer}.${name}`, 'Squeeze', [
      taken,
      file.ints(`${layer}.${name}.axis`, [0]),
    ]);
  });
  const across = file.node(`${layer}.across`, 'Transpose', [k], { perm: [0n, 1n, 3n, 2n] });
  const products = file.node(`${layer}.products`, 'MatMul', [q, across]);
  const scale = mistake === 'scaled by 1/d' ? 1 / d : 1 / Math.sqrt(d);
  const by = file.floats(`${layer}.scale`, Float32Array.of(scale), []);
  const scores = file.node(`${layer}.scores`, 'Mul', [products, by]);
  const shares = file.node(`${layer}.shares`, 'Softmax', [scores], { axis: -1n });
  return file.node(`${layer}.output`, 'MatMul', [shares, v]);
}

/** The block's ONNX file. `input` is [n, length, width]; every tensor `wanted` is a result of the graph. */
export function encoder(
  weightOf: WeightOf,
  input: readonly number[],
  wanted: readonly Wanted[],
  mistake: Mistake = 'none',
): Uint8Array {
  const file = onnxFile();
  const x = file.input('input', input);
  const width = input[2];

  const qkv = linear(file, weightOf, 'attention.qkv', layerNorm(file, weightOf, 'norm1', x));
  const attention = 'attention.scaled_dot_product_attention';
  const seen = attend(file, attention, qkv, width / heads, mistake);
  const byPlace = file.node('attention.places', 'Transpose', [seen], { perm: [0n, 2n, 1n, 3n] });
  const together = file.ints('attention.together', [0, 0, width]);
  const joined = file.node('attention.joined', 'Reshape', [byPlace, together]);
  const first = file.node('add.output', 'Add', [
    x,
    linear(file, weightOf, 'attention.proj', joined),
  ]);

  const wide = linear(file, weightOf, 'mlp.0', layerNorm(file, weightOf, 'norm2', first));
  const approximate = mistake === 'tanh GELU' ? 'tanh' : 'none';
  const active = file.node('mlp.1.output', 'Gelu', [wide], { approximate });
  const last = file.node('add@1.output', 'Add', [first, linear(file, weightOf, 'mlp.2', active)]);
  file.node('output', 'Identity', [last]);

  for (const { name, shape } of wanted) file.output(name, shape);
  return file.toBytes();
}
