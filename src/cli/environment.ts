import { arch, cpus, platform, release, totalmem } from 'node:os';
import { packageVersion } from '../version.ts';

/** The programs that a run's numbers come from. */
export const versions = (): Record<string, string> => ({
  'swa-align': packageVersion,
  node: process.versions.node,
  v8: process.versions.v8,
});

/** The machine that a run's times come from. */
export function machine(): Record<string, string | number> {
  const processors = cpus();
  return {
    os: `${platform()} ${release()}`,
    arch: arch(),
    cpu: processors[0]?.model.trim() || 'unknown',
    cores: processors.length,
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
  };
}
