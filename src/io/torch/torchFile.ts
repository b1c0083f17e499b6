import { InputError } from '../../errors.ts';
import { swapBytes } from '../elements.ts';
import { unpickle } from '../pickle/pickle.ts';
import { readZip, type ZipEntry } from '../zip/zip.ts';
import { isZip } from '../zip/zipDirectory.ts';
import { isLegacyTorch, openLegacyTorch } from './torchLegacy.ts';
import { persistentStorage, type TorchFile, torchPickles } from './torchPickle.ts';

/** The folder inside the archive that holds `data.pkl`, named after the file once saved. */
export const torchRoot = (names: Iterable<string>): string | undefined => {
  const found = [...names].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  return found.length === 1 ? found[0].slice(0, -'data.pkl'.length) : undefined;
};

function openZip(bytes: Uint8Array, where: string): TorchFile {
  // torch.serialization.set_crc32_options(False) writes 0 for every checksum.
  const entries = readZip(bytes, where, { unchecked: 'all zero' });
  const root = torchRoot(entries.keys());
  if (root === undefined) {
    const { fix } = torchPickles;
    throw new InputError('is a zip, but not one that torch.save wrote', { where, fix });
  }
  const pickled = entries.get(`${root}data.pkl`) as ZipEntry;
  const options = { ...torchPickles, persistent: persistentStorage };
  const order = entries.get(`${root}byteorder`);
  const bigEndian = order !== undefined && Buffer.from(order.read()).toString('latin1') === 'big';
  return {
    value: unpickle(pickled.read(), where, options),
    storage: (key, width) => {
      const stored = entries.get(`${root}data/${key}`)?.read();
      if (stored === undefined || !bigEndian) return stored;
      const swapped = stored.slice(0, stored.byteLength - (stored.byteLength % width));
      swapBytes(swapped, width);
      return swapped;
    },
  };
}

/**
 * Opens what torch.save wrote, in its zip format or the one before PyTorch 1.6. Nothing in it is run. Throws
 * InputError naming `where` for other files and damage.
 */
export function openTorch(bytes: Uint8Array, where: string): TorchFile {
  if (isLegacyTorch(bytes)) return openLegacyTorch(bytes, where);
  if (isZip(bytes)) return openZip(bytes, where);
  const { fix } = torchPickles;
  throw new InputError('is not a PyTorch checkpoint', { where, fix });
}
