import type { Communicator } from '../communicator.ts';
import { launchOf } from '../launcher.ts';
import { mpiCommunicator } from './mpiCommunicator.ts';
import { openLibrary } from './openLibrary.ts';

/**
 * Joins the ranks that an MPI launcher started together with this process. Throws UsageError where none did,
 * DeviceError where there is no library, or not the launcher's.
 */
export async function openMpi(
  library?: string,
  onLongWait?: (call: string) => void,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Communicator> {
  const launch = launchOf(env);
  return mpiCommunicator(await openLibrary(library, launch.abi), launch, onLongWait);
}
