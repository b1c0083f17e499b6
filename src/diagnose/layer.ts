/** A value in a layer's words: `1e-05`, `(2, 1)`, `False`, `'none'`. */
type Value = number | readonly number[] | string;

/** A layer as PyTorch's module is made, or as it prints itself. */
export interface Layer {
  /** `Conv2d` */
  readonly name: string;
  /** What stands without a keyword. */
  readonly values: readonly Value[];
  readonly keywords: ReadonlyMap<string, Value>;
}

const numbersIn = (text: string): number[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(Number);

function readValue(text: string): Value {
  const tuple = /^\((.*)\)$/.exec(text);
  if (tuple !== null) return numbersIn(tuple[1]);
  const number = Number(text);
  return text === '' || Number.isNaN(number) ? text : number;
}

/** Parts between commas that stand in no bracket. */
const partsOf = (text: string): string[] => text.match(/(?:\([^)]*\)|[^,(])+/g) ?? [];

/** Reads `Conv2d(3, 8, kernel_size=(3, 3), padding=1)`; undefined where the words are no call. */
export function layerOf(what: string | undefined): Layer | undefined {
  const call = what === undefined ? null : /^([A-Za-z_]\w*)\((.*)\)$/s.exec(what);
  if (call === null) return undefined;
  const [, name, inside] = call;
  const values: Value[] = [];
  const keywords = new Map<string, Value>();
  for (const part of partsOf(inside).map((p) => p.trim())) {
    const named = /^(\w+)=(.*)$/s.exec(part);
    if (named === null) values.push(readValue(part));
    else keywords.set(named[1], readValue(named[2]));
  }
  return { name, values, keywords };
}

/** A number that a layer is made with: `eps`, `p`. */
export function numberOf(what: string | undefined, key: string): number | undefined {
  const value = layerOf(what)?.keywords.get(key);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** One number for every axis of the maps; `usual` where the layer does not say. */
export function perAxis(
  { keywords }: Layer,
  key: string,
  axes: number,
  usual: number | readonly number[],
): readonly number[] {
  const said = keywords.get(key);
  const value = typeof said === 'string' || said === undefined ? usual : said;
  return typeof value === 'number' ? Array.from({ length: axes }, () => value) : value;
}
