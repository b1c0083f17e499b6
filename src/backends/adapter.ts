import { readdirSync } from 'node:fs';

/** The GPU that a backend got hold of. */
export interface Adapter {
  /** As its driver calls it; undefined where nobody said. */
  readonly name: string | undefined;
  /** `unknown` where it may be a program that plays GPU. */
  readonly kind: 'real' | 'software' | 'unknown';
}

/** Vulkan devices that compute on the CPU, and Windows' own. */
const software = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|software|\bwarp\b/i;

/**
 * What to make of the name that the Vulkan loader gave. Apple's Metal names nothing here, and has no software
 * device; anywhere else a GPU without a name may be one.
 */
export function adapterOf(name: string | undefined, platform: string = process.platform): Adapter {
  if (name === undefined) return { name, kind: platform === 'darwin' ? 'real' : 'unknown' };
  return { name, kind: software.test(name) ? 'software' : 'real' };
}

/** A GPU's device file: NVIDIA, Linux's own drivers (render nodes), WSL, Arm, Qualcomm, Tegra. */
const gpuFile = /^(nvidia\d+|dri\/renderD\d+|dxg|mali\d+|kgsl-3d\d+|nvhost-gpu)$/;

const listed = (directory: string): readonly string[] => {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
};

/**
 * Whether this machine can have a GPU at all: on Linux one has a device file. Costs nothing, where opening
 * a device to see takes a second.
 */
export function mayHaveGpu(platform: string = process.platform, dev = '/dev'): boolean {
  if (platform !== 'linux') return true;
  const files = [...listed(dev), ...listed(`${dev}/dri`).map((file) => `dri/${file}`)];
  return files.some((file) => gpuFile.test(file));
}
