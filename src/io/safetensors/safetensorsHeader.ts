// The small one: programs in a browser carry it.
import * as v from 'valibot';
import type { InputError } from '../../errors.ts';
import type { Shape } from '../../tensor/shape.ts';
import type { DType } from '../../tensor/tensor.ts';
import { printable } from '../names.ts';
import { bytesFor } from '../shapeCheck.ts';
import { type StoredType, storedTypes } from '../torch/storedType.ts';

export const safetensorsTypeOf: { readonly [D in DType]: string } = {
  float16: 'F16',
  float32: 'F32',
  float64: 'F64',
  int8: 'I8',
  int16: 'I16',
  int32: 'I32',
  int64: 'I64',
  uint8: 'U8',
  uint16: 'U16',
  uint32: 'U32',
  uint64: 'U64',
  bool: 'BOOL',
};

/** Types without a tensor of ours, by PyTorch's names. */
const younger: { readonly [name: string]: string } = {
  bfloat16: 'BF16',
  float8_e4m3fn: 'F8_E4M3',
  float8_e4m3fnuz: 'F8_E4M3FNUZ',
  float8_e5m2: 'F8_E5M2',
  float8_e5m2fnuz: 'F8_E5M2FNUZ',
  float8_e8m0fnu: 'F8_E8M0',
  complex64: 'C64',
};

const typeOf: ReadonlyMap<string, StoredType> = new Map(
  Object.entries({ ...safetensorsTypeOf, ...younger }).map(([name, code]) => [
    code,
    storedTypes.get(name)!,
  ]),
);

export interface SafetensorsEntry {
  readonly name: string;
  readonly type: StoredType;
  readonly shape: Shape;
  /** Bytes from the start of the data section. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly entries: readonly SafetensorsEntry[];
  readonly metadata: ReadonlyMap<string, string>;
}

const METADATA = '__metadata__';
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const entrySchema = v.strictObject({
  dtype: v.string(),
  shape: v.array(count),
  data_offsets: v.strictTuple([count, count]),
});
const metadataSchema = v.array(v.strictTuple([v.string(), v.string()]));

type Complain = (what: string) => InputError;

/** Where the string that begins at `from` ends: at the next quote that no backslash takes away. */
function endOfString(json: string, from: number): number {
  for (let end = json.indexOf('"', from + 1); ; end = json.indexOf('"', end + 1)) {
    let first = end;
    while (json[first - 1] === '\\') first--;
    if ((end - first) % 2 === 0) return end;
  }
}

/** The first key that an object of a valid JSON text has twice: JSON.parse keeps the last and says nothing. */
function repeatedKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  const colon = /\s*:/y;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '{') open.push(new Set());
    else if (character === '}') open.pop();
    if (character !== '"') continue;
    const end = endOfString(json, at);
    colon.lastIndex = end + 1;
    if (colon.test(json)) {
      const key: string = JSON.parse(json.slice(at, end + 1));
      if (open.at(-1)?.has(key)) return key;
      open.at(-1)?.add(key);
    }
    at = end;
  }
  return undefined;
}

function parseObject(text: Uint8Array, damaged: Complain): [string, unknown][] {
  let json: string;
  let parsed: unknown;
  try {
    json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text);
    parsed = JSON.parse(json);
  } catch {
    throw damaged('the .safetensors header is not JSON');
  }
  // The format asks for a brace as the very first byte.
  if (text[0] !== 0x7b || typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw damaged('the .safetensors header is not a JSON object');
  }
  const twice = repeatedKey(json);
  if (twice !== undefined)
    throw damaged(`the .safetensors header names '${printable(twice)}' twice`);
  return Object.entries(parsed);
}

function parseEntry(name: string, value: unknown, damaged: Complain): SafetensorsEntry {
  const entry = v.safeParse(entrySchema, value);
  if (!entry.success) throw damaged(`the header entry of '${printable(name)}' is malformed`);
  const { dtype: stored, shape, data_offsets } = entry.output;
  const type = typeOf.get(stored);
  if (type === undefined) {
    throw damaged(
      `tensor '${printable(name)}' has dtype ${printable(stored)}, which is not supported`,
    );
  }
  const [begin, end] = data_offsets;
  if (bytesFor(type.width, shape) !== end - begin) {
    throw damaged(
      `tensor '${printable(name)}' of ${stored} [${printable(shape.join(', '))}] does not fill its ${end - begin} bytes`,
    );
  }
  return { name, type, shape, begin, end };
}

/**
 * Checks the JSON header against a data section of `dataBytes` bytes: tensors must follow each other
 * without overlap or gap and end where the data end, so that no byte is hidden or read twice.
 */
export function parseSafetensorsHeader(
  text: Uint8Array,
  dataBytes: number,
  damaged: Complain,
): SafetensorsHeader {
  const members = parseObject(text, damaged);
  // Metadata may be null, as other writers have it.
  const stored = members.find(([name]) => name === METADATA)?.[1] ?? {};
  // Pairs rather than a record: a key such as `__proto__` is as good as any other.
  const pairs = typeof stored === 'object' ? Object.entries(stored) : undefined;
  const metadata = v.safeParse(metadataSchema, Array.isArray(stored) ? undefined : pairs);
  if (!metadata.success) throw damaged('__metadata__ is not a map of strings');
  const entries = members
    .filter(([name]) => name !== METADATA)
    .map(([name, value]) => parseEntry(name, value, damaged));
  let at = 0;
  for (const { name, begin, end } of [...entries].sort(
    (a, b) => a.begin - b.begin || a.end - b.end,
  )) {
    if (begin !== at) {
      const fault = begin < at ? 'overlaps another tensor' : 'leaves a gap before it';
      throw damaged(`tensor '${printable(name)}' ${fault}`);
    }
    at = end;
  }
  if (at !== dataBytes) {
    throw damaged(`the tensors take ${at} bytes, the file holds ${dataBytes}`);
  }
  return { entries, metadata: new Map(metadata.output) };
}
