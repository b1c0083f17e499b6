import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeviceError } from '../../../errors.ts';
import { writeFileAtomic } from '../../../io/output/atomicFile.ts';
import { complaint } from '../../settingUp/complaint.ts';
import { openWorkshop } from '../../settingUp/workshop.ts';
import type { TensorFlowFiles } from './findTensorFlow.ts';
import type { NodePackage } from './nodePackage.ts';

export interface Toolchain {
  readonly compiler: string;
  readonly headers: string;
}

/** The package's own sources (its binding.gyp names the same two). */
const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'];

const commandLine = (
  { directory, nodeApi }: NodePackage,
  tensorFlow: TensorFlowFiles,
  headers: string,
  out: string,
): string[] => [
  '-std=c++17',
  '-O2',
  '-fPIC',
  '-shared',
  ...(process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : []),
  `-DNAPI_VERSION=${nodeApi}`,
  ...[directory, tensorFlow.include, headers].flatMap((path) => ['-I', path]),
  ...sources.map((source) => join(directory, 'binding', source)),
  ...tensorFlow.libraries,
  `-Wl,-rpath,${tensorFlow.directory}`,
  '-o',
  out,
];

function compile(toolchain: Toolchain, args: readonly string[]): void {
  const { status, stderr } = spawnSync(toolchain.compiler, args, { encoding: 'utf8' });
  if (status === 0) return;
  throw new DeviceError(`${toolchain.compiler} could not build the binding: ${complaint(stderr)}`, {
    fix: 'try another TensorFlow (2.21 is known to work) or another compiler (CXX)',
  });
}

const loads = `
const binding = { exports: {} };
process.dlopen(binding, process.argv[1]);
process.stdout.write(binding.exports.TF_Version);
`;

/** Loads the binding in a process of its own, which it may take down, and asks TensorFlow's version. */
function versionOf(binding: string): string {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' };
  const { status, stdout, stderr, signal } = spawnSync(
    process.execPath,
    ['-e', loads, '--', binding],
    { encoding: 'utf8', env },
  );
  if (status === 0) return stdout;
  throw new DeviceError(`the binding was built and does not load: ${signal ?? complaint(stderr)}`, {
    fix: 'try another TensorFlow (2.21 is known to work)',
  });
}

/**
 * Builds a package's native half against a TensorFlow, tries it, and only then puts it in its place: after
 * a failure, what was there before still is. Gives back TensorFlow's version. Throws DeviceError.
 */
export function buildBinding(
  target: NodePackage,
  tensorFlow: TensorFlowFiles,
  toolchain: Toolchain,
): string {
  const workshop = openWorkshop();
  try {
    const built = join(workshop.folder, 'tfjs_binding.node');
    compile(toolchain, commandLine(target, tensorFlow, toolchain.headers, built));
    const version = versionOf(built);
    const bytes = readFileSync(built);
    writeFileAtomic(target.binding, bytes);
    return version;
  } finally {
    workshop.close();
  }
}
