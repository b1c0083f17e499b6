import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { tfjsVersion } from '../optionalPackage.ts';

const require = createRequire(import.meta.url);

/** The packages that bind TensorFlow to Node.js. They differ in which TensorFlow they download. */
export const nodePackages = {
  cpu: '@tensorflow/tfjs-node',
  gpu: '@tensorflow/tfjs-node-gpu',
} as const;

export type NodePackageName = (typeof nodePackages)[keyof typeof nodePackages];

export interface NodePackage {
  readonly name: NodePackageName;
  readonly directory: string;
  /** Where it looks for its native half. */
  readonly binding: string;
  /** Node-API version the binding is built for: the newest that package and Node.js both know. */
  readonly nodeApi: number;
}

/** How to get a package without running what would download an old TensorFlow. */
export const installCommand = (name: NodePackageName): string =>
  `npm install --save-dev --ignore-scripts ${name}@${tfjsVersion}`;

interface PackageJson {
  readonly binary: { readonly napi_versions: readonly number[] };
}

/** An installed binding package; undefined where there is none. */
export function findNodePackage(name: NodePackageName): NodePackage | undefined {
  let file: string;
  try {
    file = require.resolve(`${name}/package.json`);
  } catch {
    return undefined;
  }
  const directory = dirname(file);
  const { binary } = require(file) as PackageJson;
  const own = Number(process.versions.napi);
  const nodeApi = Math.max(...binary.napi_versions.filter((version) => version <= own));
  const binding = join(directory, 'lib', `napi-v${nodeApi}`, 'tfjs_binding.node');
  return { name, directory, binding, nodeApi };
}

/** Whether the package's native half is there. */
export const isBuilt = ({ binding }: NodePackage): boolean => existsSync(binding);
