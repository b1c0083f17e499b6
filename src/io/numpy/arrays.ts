import { InputError } from '../../errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { printable } from '../names.ts';

/** What a file holds under a name and no tensor can: text, Python objects, complex numbers. */
export interface UnreadArray {
  /** `text (dtype <U3)`. */
  readonly what: string;
  readonly fix?: string;
  /** Equal for equal content; undefined where that cannot be told. */
  readonly digest?: string;
}

export const isUnread = (array: Tensor | UnreadArray): array is UnreadArray => 'what' in array;

/** A file of named arrays, and whatever of it is not among its tensors. */
export interface Arrays {
  /** In file order. */
  readonly tensors: Map<string, Tensor>;
  readonly unread: ReadonlyMap<string, UnreadArray>;
  /** What else was left out: a sentence each, for whoever reads the file. */
  readonly notes: readonly string[];
}

const listed = 5;

/** `'a', 'b', … and 7 more`: names out of a file, in quotes. */
export function quoted(names: readonly string[]): string {
  const shown = names.slice(0, listed).map((name) => `'${printable(name)}'`);
  const hidden = names.length - shown.length;
  return shown.join(', ') + (hidden > 0 ? `, … and ${hidden} more` : '');
}

/** Everything that is not among the tensors, a sentence each. */
export const leftOut = ({ unread, notes }: Arrays): string[] => [
  ...[...unread].map(([name, { what }]) => `'${printable(name)}' holds ${what}, which is left out`),
  ...notes,
];

const refusal = (name: string, { what, fix }: UnreadArray, where: string): InputError =>
  new InputError(`'${printable(name)}' holds ${what}, not numbers that can be read`, {
    where,
    ...(fix !== undefined && { fix }),
  });

/** The same, if it holds a tensor at all or nothing. Throws InputError, naming `where` and the first array. */
export function checkRead(arrays: Arrays, where: string): Arrays {
  const [first] = arrays.unread;
  if (arrays.tensors.size === 0 && first !== undefined) throw refusal(...first, where);
  return arrays;
}

/** The tensors of a file of which nothing may be left out. Throws InputError, naming `where` and what. */
export function allTensors({ tensors, unread, notes }: Arrays, where: string): Map<string, Tensor> {
  const [first] = unread;
  if (first !== undefined) throw refusal(...first, where);
  if (notes.length > 0) throw new InputError(notes[0], { where, fix: 'write it again without' });
  return tensors;
}
