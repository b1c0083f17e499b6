import type { Backend, DeviceState } from '../../backends/backend.ts';
import { releasing } from '../../backends/holding.ts';
import type { Program } from '../../program/program.ts';
import { type TensorMap, toFloat64 } from '../../tensor/tensor.ts';
import { probed } from './finiteProbes.ts';

/** Runs a program once; the first place, in the order of computation, that is not finite. */
export async function firstPlace(
  backend: Backend,
  program: Program,
  state: DeviceState,
  feeds: TensorMap,
): Promise<string | undefined> {
  const probes = probed(program);
  const places = [...probes.fetches.keys()];
  const found = await releasing(async (on) =>
    (await on(backend).compile(probes, places)).run(state, feeds),
  );
  return places.find((place) => Number.isNaN(toFloat64(found.get(place)!)[0]));
}
