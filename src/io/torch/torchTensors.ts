import { InputError } from '../../errors.ts';
import { negate, type Tensor } from '../../tensor/tensor.ts';
import { memoryBudget } from '../budget.ts';
import { printable } from '../names.ts';
import { bytesFor } from '../shapeCheck.ts';
import { extentOf, gather } from '../strided.ts';
import { decodeStored, unfoldedWidth } from './storedType.ts';
import { type TorchFile, type TorchTensor, torchPickles } from './torchPickle.ts';

/** Where every element of any width begins at a multiple of it. */
const ALIGN = 8;

/** The imaginary parts with the other sign. */
function conjugated(t: Tensor): Tensor {
  const { data } = t;
  const negative = negate(t).data;
  for (let i = 1; i < data.length; i += 2) data[i] = negative[i];
  return t;
}

/**
 * A reader of described tensors. Views with any strides and offsets are copied out into C order, and what
 * PyTorch negates or conjugates lazily is. The memory a file may unfold to is bounded. Throws InputError
 * naming `where` and the tensor.
 */
export function torchTensorReader(
  { storage }: TorchFile,
  fileBytes: number,
  where: string,
): (name: string, t: TorchTensor) => Tensor {
  const damaged = (what: string) => new InputError(what, { where, fix: torchPickles.fix });
  const spend = memoryBudget(fileBytes, (limit) => damaged(`unfolds to more than ${limit}`));
  const storages = new Map<string, Uint8Array>();
  const storageBytes = (name: string, { storage: { key }, elements }: TorchTensor): Uint8Array => {
    // The parts of a complex number are what a machine of another byte order turns round.
    const width = elements.complex ? elements.width / 2 : elements.width;
    const id = `${width}:${key}`;
    const known = storages.get(id);
    if (known !== undefined) return known;
    const found = storage(key, width);
    if (found === undefined) {
      throw damaged(`the elements of '${printable(name)}' are not in the file`);
    }
    // Once for all: each view of it would have to do so again.
    const bytes = found.byteOffset % ALIGN === 0 ? found : Uint8Array.from(found);
    storages.set(id, bytes);
    return bytes;
  };
  return (name, t) => {
    const { elements, shape, strides, offset } = t;
    const layout = { shape, strides, offset };
    const stored = storageBytes(name, t);
    const size = bytesFor(unfoldedWidth(elements), shape);
    if (size === undefined || extentOf(layout) * elements.width > stored.byteLength) {
      throw damaged(`tensor '${printable(name)}' reaches past its elements`);
    }
    spend(size);
    const made = decodeStored(elements, shape, gather(elements.width, stored, layout));
    const turned = t.conjugate ? conjugated(made) : made;
    return t.negative ? negate(turned) : turned;
  };
}
