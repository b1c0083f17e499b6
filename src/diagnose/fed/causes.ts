import type { Verdict } from '../../align/judge/verdict.ts';
import { passed } from '../../align/judge/verdict.ts';
import type { Reference } from '../../align/reference/reference.ts';
import type { Fed } from '../../align/stages/fed.ts';
import type { FailedPart } from '../../align/stages/stage.ts';
import type { Finding } from './finding.ts';
import { rawSet } from './pixels/rawSet.ts';
import { fedRecord } from './record.ts';
import { testFindings } from './testImages.ts';
import { trainingFindings } from './training.ts';

/** A part is looked into where it is no larger: what is made of each of its images is tried out. */
const mostImages = 2000;

const imagesFed = ({ steps, refreshes, tests }: Fed): number =>
  [...steps, ...refreshes.flat(), ...tests.flatMap(({ batches }) => batches)].reduce(
    (sum, { images }) => sum + images.shape[0],
    0,
  );

type FedStage = 'epochs' | 'metric';

const findingsOf: {
  readonly [S in FedStage]: (fed: Fed, reference: Reference) => Map<string, Finding>;
} = {
  epochs(fed, reference) {
    const record = fedRecord(reference);
    if (record === undefined) return new Map();
    return new Map([
      ...trainingFindings(fed, record),
      ...fed.tests.flatMap((tests) => [...testFindings(tests, record)]),
    ]);
  },
  metric(fed, reference) {
    const { settings, images } = reference.stage('metric');
    const { mean, std } = settings as { mean?: number[]; std?: number[] };
    const test = rawSet(reference.syntheticDirectory(), 'synthetic', 'test');
    if (mean === undefined || std === undefined || test === undefined) return new Map();
    const constants = { mean, std };
    const given = { test: { ...test, count: images }, constants };
    return new Map(fed.tests.flatMap((tests) => [...testFindings(tests, given)]));
  },
};

/** Verdicts on what programs were fed, each failure with what the mistake is where something explains it. */
export function withFedCauses(
  stage: string,
  verdicts: readonly Verdict[],
  failed: readonly FailedPart[],
  reference: Reference,
): Verdict[] {
  const found = new Map<string, Finding>();
  for (const { fed } of failed) {
    if (fed === undefined || !(stage in findingsOf) || imagesFed(fed) > mostImages) continue;
    for (const [name, finding] of findingsOf[stage as FedStage](fed, reference)) {
      found.set(fed.prefix + name, finding);
    }
  }
  const wrong = verdicts.filter((verdict) => !passed(verdict) && found.has(verdict.name));
  return verdicts.map((verdict) => {
    const finding = wrong.includes(verdict) ? found.get(verdict.name) : undefined;
    if (finding === undefined) return verdict;
    const { key, row, says } = finding;
    const same = wrong.filter(({ name }) => found.get(name)!.key === key).length;
    const { nearest: _, ...rest } = verdict;
    return { ...rest, cause: { hypothesis: row, says, left: 0, explains: same, of: wrong.length } };
  });
}
