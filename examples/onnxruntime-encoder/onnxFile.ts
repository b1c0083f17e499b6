/** An ONNX file, node by node. */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as ElementType,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';

/** An attribute: integers as bigint, numbers as float. */
export type Attribute = bigint | number | string | readonly bigint[];

/** How every value is known: by its name. */
export type Value = string;

export interface OnnxFile {
  /** Appends a node; its one result is called `name`. */
  node(
    name: Value,
    type: string,
    inputs: readonly Value[],
    attributes?: Readonly<Record<string, Attribute>>,
  ): Value;
  floats(name: Value, data: Float32Array, shape: readonly number[]): Value;
  ints(name: Value, values: readonly number[]): Value;
  input(name: Value, shape: readonly number[]): Value;
  /** Makes a value a result of the whole graph. */
  output(name: Value, shape: readonly number[]): void;
  toBytes(): Uint8Array;
}

const opset = 21n;
const irVersion = 10n;

function attribute(name: string, value: Attribute): AttributeProto {
  if (typeof value === 'bigint') {
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: value });
  }
  if (typeof value === 'number') {
    return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value });
  }
  if (typeof value === 'string') {
    const s = new TextEncoder().encode(value);
    return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s });
  }
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: [...value] });
}

const floatInfo = (name: Value, shape: readonly number[]) =>
  create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: 'tensorType',
        value: {
          elemType: ElementType.FLOAT,
          shape: {
            dim: shape.map((n) => ({ value: { case: 'dimValue' as const, value: BigInt(n) } })),
          },
        },
      },
    },
  });

const rawBytes = ({ buffer, byteOffset, byteLength }: Float32Array | BigInt64Array) =>
  new Uint8Array(buffer, byteOffset, byteLength).slice();

/** An empty graph. */
export function onnxFile(): OnnxFile {
  const graph = create(ModelProtoSchema, {
    irVersion,
    opsetImport: [{ version: opset }],
    graph: { name: 'encoder' },
  });
  const { node, initializer, input, output } = graph.graph!;
  const constant = (
    name: Value,
    dataType: number,
    rawData: Uint8Array<ArrayBuffer>,
    shape: readonly number[],
  ) =>
    initializer.push(
      create(TensorProtoSchema, { name, dataType, rawData, dims: shape.map(BigInt) }),
    );
  return {
    node(name, opType, inputs, attributes = {}) {
      node.push(
        create(NodeProtoSchema, {
          name,
          opType,
          input: [...inputs],
          output: [name],
          attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
        }),
      );
      return name;
    },
    floats(name, data, shape) {
      constant(name, ElementType.FLOAT, rawBytes(data), shape);
      return name;
    },
    ints(name, values) {
      const data = BigInt64Array.from(values, BigInt);
      constant(name, ElementType.INT64, rawBytes(data), [values.length]);
      return name;
    },
    input(name, shape) {
      input.push(floatInfo(name, shape));
      return name;
    },
    output(name, shape) {
      output.push(floatInfo(name, shape));
    },
    toBytes: () => toBinary(ModelProtoSchema, graph),
  };
}
