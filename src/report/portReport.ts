import type { ProbesJudged } from '../align/probes/judgeProbes.ts';
import { isGiven, type Probe, type ProbeKind } from '../align/reference/probe.ts';
import type { ProbeReference } from '../align/reference/probeReference.ts';
import { stageResult } from '../align/stages/stage.ts';
import { packageVersion } from '../version.ts';
import type { DiffReport } from './diffReport.ts';

/** What a judged recording is called where `diff` has the names of its stages. */
export const recordingPart = 'port';

const panelTitles: { readonly [K in ProbeKind]: string } = {
  input: 'Inputs',
  draw: 'Draws',
  output: 'Outputs, forward',
  prediction: 'Outputs, forward',
  loss: 'Outputs, forward',
  'output gradient': 'Gradients of outputs, backward',
  'weight gradient': 'Gradients of weights, backward',
  weight: 'Weights and state after the step',
  buffer: 'Weights and state after the step',
  'optimizer state': 'Weights and state after the step',
};

/** A panel a kind of tensor and pass; what is given to a port has none. */
const panelsOf = (probes: readonly Probe[], passes: number): ReadonlyMap<string, string> =>
  new Map(
    probes
      .filter((probe) => !isGiven(probe))
      .map(({ name, kind, pass }) => [
        name,
        passes === 1 ? panelTitles[kind] : `${panelTitles[kind]}, step ${pass + 1}`,
      ]),
  );

/** A judged recording as every reporter takes it. `ours` is the file, `hashes` what was read. */
export function portReport(
  { manifest }: ProbeReference,
  judged: ProbesJudged,
  run: {
    readonly ours: string;
    readonly hashes: Readonly<Record<string, string>>;
    readonly versions: Readonly<Record<string, string>>;
    readonly seconds: number;
  },
): DiffReport {
  const { torch, model, probes, passes } = manifest;
  const findings = { ...judged, ours: new Map(), pytorch: new Map(), inputs: [] };
  return {
    provenance: {
      ours: `${run.ours}, judged by swa-align ${packageVersion}`,
      theirs: `PyTorch ${torch.version}`,
      hashes: run.hashes,
    },
    versions: run.versions,
    results: [stageResult(recordingPart, findings, { model, seconds: run.seconds })],
    panels: panelsOf(probes, passes.length),
    layers: new Map(
      probes.flatMap(({ layer, what }) => (layer && what ? [[layer, what] as const] : [])),
    ),
  };
}
