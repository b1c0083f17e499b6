import { InputError } from '../../errors.ts';
import { unpickleAt } from '../pickle/pickle.ts';
import { isKind, type PickleContext, type PickleValue } from '../pickle/pickleValue.ts';
import { isStorage, persistentStorage, type TorchFile, torchPickles } from './torchPickle.ts';

/** 0x1950a86a20f9469cfc6c, a pickled integer. */
const MAGIC = Buffer.from('6cfc9c46f9206aa85019', 'hex');
/** Protocol, from protocol 4 on a frame, and the integer's own head. */
const MAGIC_WITHIN = 24;
const PROTOCOL = 1001;

/** Whether the bytes begin as torch.save began them before PyTorch 1.6, and still does when told to. */
export const isLegacyTorch = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x80 && Buffer.from(bytes.subarray(0, MAGIC_WITHIN)).includes(MAGIC);

/**
 * Opens a file of torch.save in the format before PyTorch 1.6: pickles of a magic number, a version, the
 * machine, the value and the keys of its storages, then each storage's number of elements and the elements,
 * little-endian on every machine. Throws InputError naming `where` when it is damaged.
 */
export function openLegacyTorch(bytes: Uint8Array, where: string): TorchFile {
  const damaged = (what: string) => new InputError(what, { where, fix: torchPickles.fix });
  let at = 0;
  const widths = new Map<string, number>();
  const persistent = (id: PickleValue, context: PickleContext): PickleValue => {
    const found = persistentStorage(id, context);
    if (isStorage(found)) widths.set(found.key, found.width);
    return found;
  };
  const next = (): PickleValue => {
    const { value, end } = unpickleAt(bytes, at, where, { ...torchPickles, persistent });
    at = end;
    return value;
  };
  next();
  if (next() !== PROTOCOL) throw damaged('is of a version of its format that is not known');
  next();
  const value = next();
  const keys = next();
  if (!isKind(keys, 'list')) throw damaged('has no list of its storages');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const storages = new Map<string, Uint8Array>();
  for (const key of keys.items) {
    const width = typeof key === 'string' ? widths.get(key) : undefined;
    if (typeof key !== 'string' || width === undefined) {
      throw damaged('holds a storage that no tensor names');
    }
    if (at + 8 > bytes.byteLength) throw damaged('is cut short');
    const size = Number(view.getBigInt64(at, true)) * width;
    at += 8;
    if (!(size >= 0 && size <= bytes.byteLength - at)) throw damaged('is cut short');
    storages.set(key, bytes.subarray(at, at + size));
    at += size;
  }
  if (at !== bytes.byteLength) throw damaged('continues after its last storage');
  return { value, storage: (key) => storages.get(key) };
}
