import { spawnSync } from 'node:child_process';

/** The Pythons that tests look for packages in: the one that is found, and the system's own. */
export const pythons = ['python3', '/usr/bin/python3'] as const;

export type Python = (typeof pythons)[number];

const packages = ['numpy', 'torch', 'onnx'] as const;

type Package = (typeof packages)[number];

/** Prints the version of every package that is there. */
const probe = `
import importlib.metadata as m, importlib.util as u, json, sys

def version(name):
    try:
        return m.version(name)
    except m.PackageNotFoundError:
        return __import__(name).__version__

print(json.dumps({name: version(name) for name in sys.argv[1:] if u.find_spec(name)}))
`;

type Versions = Readonly<Partial<Record<Package, string>>>;

const looked = new Map<Python, Versions | undefined>();

/** The versions of what a Python has, looked up and not imported, which takes PyTorch seconds; undefined without Python. */
function versionsIn(python: Python): Versions | undefined {
  if (!looked.has(python)) {
    const { status, stdout } = spawnSync(python, ['-c', probe, ...packages], { encoding: 'utf8' });
    looked.set(python, status === 0 ? JSON.parse(stdout) : undefined);
  }
  return looked.get(python);
}

/** Whether a Python is there, with all these packages. */
export function pythonHas(wanted: readonly Package[], python: Python = 'python3'): boolean {
  const versions = versionsIn(python);
  return versions !== undefined && wanted.every((name) => versions[name] !== undefined);
}

/** The first Python with all these packages. */
export const pythonWith = (...wanted: readonly Package[]): Python | undefined =>
  pythons.find((python) => pythonHas(wanted, python));

/** Whether there is a PyTorch that recorder.py runs on: from 2.1 on. */
export const hasRecorderTorch = ((): boolean => {
  const [major, minor] = (versionsIn('python3')?.torch ?? '0.0').split('.').map(Number);
  return pythonHas(['numpy', 'torch']) && (major > 2 || (major === 2 && minor >= 1));
})();

/** Whether PyTorch trains among ranks on CPUs here; only PyTorch itself can tell. */
export const hasGloo = (): boolean =>
  pythonHas(['numpy', 'torch']) &&
  spawnSync('python3', ['-c', 'import torch.distributed as d; assert d.is_gloo_available()'])
    .status === 0;
