import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseProbeManifest, probeReference } from '../align/reference/probeReference.ts';
import { InputError } from '../errors.ts';
import { fileSource } from '../io/fileSource.ts';
import { readFileOrFail } from '../io/readFile.ts';
import { openSafetensors } from '../io/safetensors/safetensors.ts';
import { sha256File } from '../io/sha256/sha256File.ts';
import { type PortReference, portReference } from './portReference.ts';
import { checkDigest, manifestName } from './referenceFiles.ts';

/**
 * Opens a folder that `recorder.py` wrote. Throws InputError where it is missing, damaged or altered.
 */
export function openReference(directory: string): PortReference {
  const fix = 'record one with recorder.py: swa-align recorder > recorder.py';
  if (typeof directory !== 'string' || !existsSync(directory)) {
    throw new InputError('there is no such reference', { where: String(directory), fix });
  }
  if (!statSync(directory).isDirectory()) {
    throw new InputError('is a file; a reference is a folder', {
      where: directory,
      fix: `name the folder that recorder.py wrote, with ${manifestName} in it`,
    });
  }
  const path = join(directory, manifestName);
  const text = new TextDecoder().decode(readFileOrFail(path, { fix }));
  const manifest = parseProbeManifest(text, path);
  const file = join(directory, manifest.tensors.file);
  const source = fileSource(file, fix);
  checkDigest(manifest, sha256File(file), file);
  return portReference(probeReference(manifest, openSafetensors(source, file), directory));
}
