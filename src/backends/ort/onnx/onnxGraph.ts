import { create, toBinary } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as ElementType,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import type { DType } from '../../../ir/op.ts';
import type { Shape } from '../../../tensor/shape.ts';

/** The name of a value in the ONNX graph. */
export type Value = string;

export type Attribute = number | string | readonly number[] | { readonly float: number };

/** An ONNX graph under construction. */
export interface OnnxGraph {
  /** Appends a node with one result. */
  emit(type: string, inputs: readonly Value[], attributes?: Attributes): Value;
  /** Appends a node with `count` results. */
  emitMany(type: string, inputs: readonly Value[], count: number, attributes?: Attributes): Value[];
  /** An int64 vector as a constant; equal ones are shared. */
  ints(values: readonly number[]): Value;
  /** A float constant: one number, or that number in every element of `shape`. */
  floats(value: number, shape?: Shape): Value;
  /** A float constant, element by element; equal ones are shared. */
  matrix(rows: readonly (readonly number[])[]): Value;
  /** Computes a derived value (a transposed weight, say) once, however many ops ask for it. */
  once(key: string, build: () => Value): Value;
  /** Later nodes take this text into their names, so that profiles and errors speak of layers. */
  scope: string;
  /** A float tensor under a public name of its own: a weight. */
  weight(name: Value, values: Float32Array, shape: Shape): void;
  input(name: Value, dtype: DType, shape: Extents): void;
  /** Gives `value` a public name, under which it is a result. */
  output(name: Value, value: Value, dtype: DType, shape: Extents): void;
  /** The serialised ModelProto. */
  toBytes(): Uint8Array;
}

/** Extents of a shape; one that is free has a name instead. */
export type Extents = readonly (number | string)[];

export type Attributes = Readonly<Record<string, Attribute>>;

const opset = 21n;
/** The newest file format that the opset above needs; newer ones shut out older runtimes. */
const irVersion = 10n;

/** What `int` is in a graph: int64, or int32 where a provider knows no wider one. */
export type IntType = 'int64' | 'int32';

const intTypes: { readonly [I in IntType]: ElementType } = {
  int64: ElementType.INT64,
  int32: ElementType.INT32,
};

const encoder = new TextEncoder();

function attributeProto(name: string, value: Attribute): AttributeProto {
  if (typeof value === 'number') {
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });
  }
  if (typeof value === 'string') {
    const s = encoder.encode(value);
    return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s });
  }
  if ('float' in value) {
    return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.float });
  }
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
}

const valueInfo = (name: string, elemType: ElementType, shape: Extents): ValueInfoProto =>
  create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: 'tensorType',
        value: {
          elemType,
          shape: {
            dim: shape.map((d) => ({
              value:
                typeof d === 'number'
                  ? { case: 'dimValue' as const, value: BigInt(d) }
                  : { case: 'dimParam' as const, value: d },
            })),
          },
        },
      },
    },
  });

/** What a graph may be given besides its name. */
export interface GraphOptions {
  readonly int?: IntType;
  /** Goes into the file for people who read it. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Starts an empty graph. Operators other than ONNX's own are named `domain::Type`. */
export function onnxGraph(
  name: string,
  { int = 'int64', metadata = {} }: GraphOptions = {},
): OnnxGraph {
  const elementTypes = { float: ElementType.FLOAT, int: intTypes[int] } as const;
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const inputs: ValueInfoProto[] = [];
  const outputs: ValueInfoProto[] = [];
  const published: Published[] = [];
  const domains = new Set<string>();
  const shared = new Map<string, Value>();
  let values = 0;

  const initializer = (
    dims: Shape,
    dataType: ElementType,
    data: ArrayBufferView,
    value = `const_${values++}`,
  ): Value => {
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
    const proto = { name: value, dims: dims.map(BigInt), dataType, rawData };
    initializers.push(create(TensorProtoSchema, proto));
    return value;
  };

  const graph: OnnxGraph = {
    scope: '',
    emit: (type, operands, attributes) => graph.emitMany(type, operands, 1, attributes)[0],
    emitMany(type, operands, count, attributes = {}) {
      const [opType, domain = ''] = type.split('::').reverse();
      if (domain !== '') domains.add(domain);
      const id = `${graph.scope}/${opType}_${values++}`;
      const results = Array.from({ length: count }, (_, i) => (i === 0 ? id : `${id}:${i}`));
      nodes.push(
        create(NodeProtoSchema, {
          name: id,
          opType,
          domain,
          input: [...operands],
          output: results,
          attribute: Object.entries(attributes).map(([key, value]) => attributeProto(key, value)),
        }),
      );
      return results;
    },
    ints: (list) =>
      graph.once(`ints ${list.join()}`, () =>
        initializer([list.length], ElementType.INT64, BigInt64Array.from(list, BigInt)),
      ),
    floats: (value, shape = []) =>
      graph.once(`floats ${value} ${shape.join()}`, () => {
        const data = new Float32Array(shape.reduce((n, d) => n * d, 1)).fill(value);
        return initializer(shape, ElementType.FLOAT, data);
      }),
    weight(name, data, shape) {
      initializer(shape, ElementType.FLOAT, data, name);
    },
    matrix: (rows) =>
      graph.once(`matrix ${rows.map((row) => row.join()).join(';')}`, () =>
        initializer(
          [rows.length, rows[0].length],
          ElementType.FLOAT,
          Float32Array.from(rows.flat()),
        ),
      ),
    once(key, build) {
      const known = shared.get(key);
      if (known !== undefined) return known;
      const value = build();
      shared.set(key, value);
      return value;
    },
    input: (value, dtype, shape) => inputs.push(valueInfo(value, elementTypes[dtype], shape)),
    output(value, source, dtype, shape) {
      published.push({ value, source });
      outputs.push(valueInfo(value, elementTypes[dtype], shape));
    },
    toBytes: () =>
      toBinary(
        ModelProtoSchema,
        create(ModelProtoSchema, {
          irVersion,
          opsetImport: [
            { domain: '', version: opset },
            ...[...domains].map((domain) => ({ domain, version: 1n })),
          ],
          producerName: 'swa-align',
          metadataProps: Object.entries(metadata).map(([key, value]) =>
            create(StringStringEntryProtoSchema, { key, value }),
          ),
          graph: {
            name,
            node: named(nodes, published),
            initializer: initializers,
            input: inputs,
            output: outputs,
          },
        }),
      ),
  };
  return graph;
}

/** A value under its public name. */
interface Published {
  readonly value: Value;
  readonly source: Value;
}

/**
 * The nodes with what they compute under its public name. A copy is made only of what no node computes (an input
 * handed through) or what already has another public name: weights and momenta are tens of megabytes.
 */
function named(nodes: readonly NodeProto[], published: readonly Published[]): NodeProto[] {
  const computed = new Set(nodes.flatMap(({ output }) => output));
  const names = new Map<Value, Value>();
  const copies: NodeProto[] = [];
  for (const { value, source } of published) {
    if (computed.has(source) && !names.has(source)) {
      names.set(source, value);
      continue;
    }
    const alias = { name: `output ${value}`, opType: 'Identity', input: [source], output: [value] };
    copies.push(create(NodeProtoSchema, alias));
  }
  const publicName = (value: Value): Value => names.get(value) ?? value;
  return [...nodes, ...copies].map((node) => ({
    ...node,
    input: node.input.map(publicName),
    output: node.output.map(publicName),
  }));
}

/** The two values that OneHot makes its vectors of. */
export const offOn = (g: OnnxGraph): Value =>
  g.once('off/on', () => g.emit('Concat', [g.floats(0, [1]), g.floats(1, [1])], { axis: 0 }));
