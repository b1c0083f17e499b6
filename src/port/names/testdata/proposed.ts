import { sizeOf } from '../../../tensor/shape.ts';
import { type Tensor, type TensorMap, tensor } from '../../../tensor/tensor.ts';
import { parseNameMap, renamed } from '../../nameMap.ts';
import type { PortReference } from '../../portReference.ts';
import { randomNumbers } from '../../testdata/randomReference.ts';
import { rowsOf } from '../folded.ts';
import type { Proposal } from '../proposal.ts';
import { proposeNames } from '../propose.ts';

export const float32 = (shape: readonly number[], values: ArrayLike<number>): Tensor =>
  tensor('float32', [...shape], Float32Array.from(values));

export const float64 = (shape: readonly number[], values: ArrayLike<number>): Tensor =>
  tensor('float64', [...shape], Float64Array.from(values));

export const random = (shape: readonly number[], seed: number): Tensor =>
  float64(shape, randomNumbers(sizeOf([...shape]), seed));

/** What PyTorch computed, as a right port has it. */
export const right = (reference: PortReference): Map<string, Tensor> =>
  new Map(reference.probes.map((probe) => [probe.name, reference.whole(probe)]));

export const entriesOf = (names: readonly string[], proposals: readonly Proposal[]) =>
  rowsOf(names, proposals).map(({ entry }) => entry);

/** The recording by the map that is proposed for it, through the text of its file. */
export function byMap(recording: TensorMap, reference: PortReference): TensorMap {
  const { proposals } = proposeNames(recording, reference);
  const names = entriesOf([...recording.keys()], proposals);
  if (names.length === 0) return recording;
  const text = JSON.stringify({ format: 'swa-align-names/1', names });
  return renamed(recording, parseNameMap(text, 'map.json'), reference, 'map.json');
}

export const proposed = (recording: TensorMap, reference: PortReference): Record<string, string> =>
  Object.fromEntries(
    proposeNames(recording, reference).proposals.map(({ ours, probe }) => [ours, probe]),
  );

export const whyOf = (recording: TensorMap, reference: PortReference, name: string) =>
  proposeNames(recording, reference).proposals.find(({ ours }) => ours === name);
