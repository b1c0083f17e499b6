import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DeviceError, InputError } from '../../../errors.ts';

/** The parts of a TensorFlow that a program can be linked with. */
export interface TensorFlowFiles {
  /** Directory that holds `tensorflow/c/c_api.h`. */
  readonly include: string;
  /** Absolute paths, in the order in which they are linked. */
  readonly libraries: readonly string[];
  /** Directory of the libraries. */
  readonly directory: string;
  /** Undefined where nothing tells. */
  readonly cuda: boolean | undefined;
}

/** The library by the names of its Python package and of its C archive, the package's first. */
const mainLibraries = [
  'libtensorflow_cc.so.2',
  'libtensorflow.so.2',
  'libtensorflow.so',
  'libtensorflow_cc.2.dylib',
  'libtensorflow.2.dylib',
];
const frameworkLibraries = [
  'libtensorflow_framework.so.2',
  'libtensorflow_framework.so',
  'libtensorflow_framework.2.dylib',
];

const header = join('tensorflow', 'c', 'c_api.h');

const firstOf = (directory: string, names: readonly string[]): string | undefined =>
  names.map((name) => join(directory, name)).find((path) => existsSync(path));

/** Whether TensorFlow's Python package was built with CUDA. */
function builtWithCuda(directory: string): boolean | undefined {
  const path = join(directory, 'python', 'platform', 'build_info.py');
  if (!existsSync(path)) return undefined;
  return /'is_cuda_build', True/.test(readFileSync(path, 'utf8'));
}

/**
 * TensorFlow in a directory: that of its Python package, or its C archive unpacked (`include/`, `lib/`).
 * Throws InputError for what is missing.
 */
export function tensorFlowIn(given: string): TensorFlowFiles {
  const root = resolve(given);
  const fix = 'name the directory of the tensorflow Python package or of an unpacked libtensorflow';
  const include = join(root, 'include');
  if (!existsSync(join(include, header))) {
    throw new InputError(`holds no include/${header}`, { where: root, fix });
  }
  for (const directory of [root, join(root, 'lib')]) {
    const main = firstOf(directory, mainLibraries);
    const framework = firstOf(directory, frameworkLibraries);
    if (main === undefined || framework === undefined) continue;
    return { include, directory, libraries: [main, framework], cuda: builtWithCuda(root) };
  }
  throw new InputError('holds no libtensorflow beside a libtensorflow_framework', {
    where: root,
    fix,
  });
}

/** Finds the package without importing it, which would take seconds. */
const question = `
import importlib.util
spec = importlib.util.find_spec("tensorflow")
print(spec.submodule_search_locations[0] if spec else "")
`;

/** Where a Python has TensorFlow; '' where it has none, undefined where there is no such Python. */
function askPython(python: string): string | undefined {
  const { status, stdout } = spawnSync(python, ['-c', question], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** The TensorFlow of a Python, the first one that has it where none is named. Throws DeviceError. */
export function tensorFlowOfPython(named: string | undefined): TensorFlowFiles {
  const pythons = named === undefined ? ['python3', 'python'] : [named];
  const found = pythons.map((python) => askPython(python));
  const directory = found.find((answer) => answer !== undefined && answer !== '');
  if (directory !== undefined) return tensorFlowIn(directory);
  const why = found.every((answer) => answer === undefined)
    ? `there is no Python called ${pythons.join(' or ')}`
    : `${pythons.join(' and ')} ${pythons.length === 1 ? 'has' : 'have'} no TensorFlow`;
  throw new DeviceError(why, {
    fix: 'pip install tensorflow-cpu (tensorflow[and-cuda] for a GPU), or name another one with --python or --libtensorflow',
  });
}
