import type { ProbeManifest } from '../align/reference/probe.ts';
import { parseProbeManifest, probeReference } from '../align/reference/probeReference.ts';
import { InputError } from '../errors.ts';
import { openSafetensors, sourceOf } from '../io/safetensors/safetensors.ts';
import { plainSha256 } from '../io/sha256/plainSha256.ts';
import { type PortReference, portReference } from './portReference.ts';

/** The file of a reference that says what is in it. */
export const manifestName = 'manifest.json';

/** Throws InputError where the bytes of the tensors are not those that the manifest speaks of. */
export function checkDigest(
  { tensors: { sha256 } }: ProbeManifest,
  found: string,
  where: string,
): void {
  if (found === sha256) return;
  throw new InputError(
    `SHA-256 is ${found.slice(0, 12)}…, the manifest says ${sha256.slice(0, 12)}…: another or a damaged file`,
    { where, fix: 'copy both files of the reference again' },
  );
}

/** By Web Crypto, the quicker, where it is there: on localhost and by https. */
async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const found = await globalThis.crypto?.subtle?.digest('SHA-256', bytes);
  const digest = found === undefined ? plainSha256(bytes) : new Uint8Array(found);
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function fromParts(
  where: string,
  read: (file: string) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<PortReference> {
  const text = new TextDecoder().decode(await read(manifestName));
  const manifest = parseProbeManifest(text, `${where}/${manifestName}`);
  const { file } = manifest.tensors;
  const bytes = await read(file);
  checkDigest(manifest, await digestOf(bytes), `${where}/${file}`);
  const tensors = openSafetensors(sourceOf(bytes), `${where}/${file}`);
  return portReference(probeReference(manifest, tensors, where));
}

/** Fetches a reference that is served as a folder. Throws InputError where it is missing, damaged or altered. */
export function fetchReference(url: string | URL): Promise<PortReference> {
  const folder = String(url).replace(/\/$/, '');
  return fromParts(folder, async (file) => {
    const where = `${folder}/${file}`;
    const response = await fetch(where).catch((error: unknown) => {
      throw new InputError(`cannot be fetched: ${(error as Error).message}`, {
        where,
        fix: 'serve the folder of the reference',
      });
    });
    if (!response.ok) {
      throw new InputError(`the server answers ${response.status}`, {
        where,
        fix: 'serve the folder of the reference',
      });
    }
    return new Uint8Array(await response.arrayBuffer());
  });
}

/** A reference from its two files, as a person chose or dropped them. Throws InputError as `fetchReference` does. */
export function referenceFromFiles(files: Iterable<File>): Promise<PortReference> {
  const byName = new Map([...files].map((file) => [file.name, file]));
  return fromParts('the chosen files', async (name) => {
    const found = byName.get(name);
    if (found === undefined) {
      throw new InputError(`${name} is not among them`, {
        where: 'the chosen files',
        fix: 'choose both files of the reference',
      });
    }
    return new Uint8Array(await found.arrayBuffer());
  });
}
