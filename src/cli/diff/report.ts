import type { StageName } from '../../align/reference/manifest.ts';
import type { Runs, Witness } from '../../align/sideBySide/runs.ts';
import { layerWords } from '../../nn/layerWords.ts';
import { type DiffReport, failuresOf, notJudged } from '../../report/diffReport.ts';
import type { Provenance } from '../../report/reporters/diffLog.ts';
import { packageVersion } from '../../version.ts';
import { allOf } from '../../words.ts';

/** What was run, what against, and from which files. */
export function provenanceOf({ description, reference: { manifest } }: Witness): Provenance {
  const { version, cpu_capability: capability } = manifest.torch;
  return {
    ours: `swa-align ${packageVersion} on ${description}`,
    theirs: `PyTorch ${version} (${capability})`,
    hashes: { ...manifest.inputs, ...manifest.files },
  };
}

/** The programs that the numbers come from. */
export const versions = (): Record<string, string> => ({
  'swa-align': packageVersion,
  node: process.version,
  platform: `${process.platform}-${process.arch}`,
});

/** Stages that were asked for, that the reference was recorded without, and why. */
export function leftOutOf(
  { reference: { manifest } }: Witness,
  { stages: wanted }: Runs,
): ReadonlyMap<StageName, string> {
  const left = wanted.filter((stage) => manifest.stages[stage] === undefined);
  return new Map(
    left.flatMap((stage) => {
      const why = manifest.left_out?.[stage];
      return why === undefined ? [] : [[stage, why] as const];
    }),
  );
}

/** What a witness found, for the reporters. */
export const reportOf = (witness: Witness, runs: Runs): DiffReport => ({
  ...(runs.sideBySide && { backend: witness.name }),
  leftOut: leftOutOf(witness, runs),
  provenance: provenanceOf(witness),
  versions: versions(),
  results: witness.results,
  layers: layerWords(witness.reference.model),
  ...(witness.trace && { trace: witness.trace }),
});

/** The last line: what failed, what was not judged, where the logs are. */
export function conclusion(reports: readonly DiffReport[], out: string): string {
  // The stages in their order; a trace comes after them.
  const failures = reports
    .flatMap(failuresOf)
    .sort((a, b) => Number(a.part === 'trace') - Number(b.part === 'trace'));
  const failed = new Set(failures.map(({ model, part }) => `${model} ${part}`));
  const count = reports.flatMap((r) => r.results).length;
  const unjudged = new Set(notJudged(reports).map(({ model, stage }) => `${model} ${stage}`));
  return [
    failed.size === 0 ? `${allOf(count, 'stage')} passed` : `failed: ${[...failed].join(', ')}`,
    ...(unjudged.size === 0 ? [] : [`not judged: ${[...unjudged].join(', ')}`]),
    `logs in ${out}/`,
  ].join('; ');
}
