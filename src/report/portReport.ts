import type { ProbesJudged } from '../align/probes/judgeProbes.ts';
import type { ProbeReference } from '../align/reference/probeReference.ts';
import { stageResult } from '../align/stages/stage.ts';
import { packageVersion } from '../version.ts';
import type { DiffReport } from './diffReport.ts';

/** What a judged recording is called where `diff` has the names of its stages. */
export const recordingPart = 'port';

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
  const { torch, model, probes } = manifest;
  const findings = { ...judged, ours: new Map(), pytorch: new Map(), inputs: [] };
  return {
    provenance: {
      ours: `${run.ours}, judged by swa-align ${packageVersion}`,
      theirs: `PyTorch ${torch.version}`,
      hashes: run.hashes,
    },
    versions: run.versions,
    results: [stageResult(recordingPart, findings, { model, seconds: run.seconds })],
    layers: new Map(
      probes.flatMap(({ layer, what }) => (layer && what ? [[layer, what] as const] : [])),
    ),
  };
}
