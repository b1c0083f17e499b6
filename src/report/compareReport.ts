import { basename } from 'node:path';
import type { Comparison } from '../align/judge/compareRecordings.ts';
import { stageResult } from '../align/stages/stage.ts';
import type { DiffReport } from './diffReport.ts';
import { closestOf } from './diffSummary.ts';
import { firstDivergence } from './divergence.ts';

/** One of two recordings. */
export interface ComparedFile {
  readonly path: string;
  readonly sha256: string;
}

/** Two recordings held against each other, as every reporter takes it. */
export function compareReport(
  { verdicts, notes }: Comparison,
  run: {
    readonly a: ComparedFile;
    readonly b: ComparedFile;
    readonly versions: Readonly<Record<string, string>>;
    readonly seconds: number;
  },
): DiffReport {
  const { a, b, versions, seconds } = run;
  const inputs = [...new Set([a.path, b.path])];
  const findings = { verdicts, notes, ours: new Map(), pytorch: new Map(), inputs };
  return {
    provenance: {
      ours: `A = ${a.path}`,
      theirs: `B = ${b.path}`,
      hashes: { [a.path]: a.sha256, [b.path]: b.sha256 },
    },
    versions,
    results: [stageResult('compare', findings, { model: basename(a.path), seconds })],
    layers: new Map(),
  };
}

/** The first divergence in the order of the recordings, and what came closest to its limit, for people. */
export function comparedWords(comparison: Comparison): string[] {
  const { verdicts, order } = comparison;
  const closest = closestOf(verdicts);
  return [
    ...firstDivergence(comparison, {
      against: 'B',
      order: `in the order of ${order}`,
      thing: 'tensor',
    }),
    ...(closest === undefined ? [] : [`furthest: ${closest}`]),
  ];
}
