import { InputError } from '../../errors.ts';
import { printable } from '../../io/names.ts';
import type { Tensor, TensorMap } from '../../tensor/tensor.ts';
import { firstFew } from '../../words.ts';
import { chosen, type NameChoice } from '../judge/chosen.ts';
import type { Expectation, Rule } from '../judge/expectation.ts';
import { judge } from '../judge/judge.ts';
import { passed, type Verdict } from '../judge/verdict.ts';
import { nearestNames } from '../reference/nearestNames.ts';
import { isGiven, type Probe } from '../reference/probe.ts';
import type { ProbeReference } from '../reference/probeReference.ts';
import { inheritedFrom } from './inherits.ts';
import { prepared } from './prepared.ts';
import { type RuleOptions, ruleFor, weakLimit } from './rule.ts';

/** Which probes, and how. */
export interface JudgeOptions extends RuleOptions, NameChoice {
  /** Probes that the recording lacks are told and do not fail. */
  readonly partial?: boolean;
}

/** What came of holding a recording against a reference of any network. */
export interface ProbesJudged {
  /** In the order in which things are computed. */
  readonly verdicts: readonly Verdict[];
  /** Probes that the recording lacks. */
  readonly missing: readonly string[];
  /** What it holds besides. */
  readonly extra: readonly string[];
  /** What a reader should know although it passed. */
  readonly notes: readonly string[];
}

const shown = 5;

/** `a, b, c and 7 more` */
const listed = (names: readonly string[]): string => firstFew(names.map(printable), shown);

const namesOf = (probes: readonly Probe[]): string[] => probes.map(({ name }) => name);

/** Which probes share a reason. */
function byReason(leftOut: Readonly<Record<string, string>>): [string, string[]][] {
  const found = new Map<string, string[]>();
  for (const [name, why] of Object.entries(leftOut)) {
    found.set(why, [...(found.get(why) ?? []), name]);
  }
  return [...found];
}

/** What is asked for. Throws UsageError where nothing is. */
function chosenOf({ probes, where }: ProbeReference, options: JudgeOptions): Probe[] {
  const names = new Set(chosen(namesOf(probes), options, where, 'probe'));
  return probes.filter(({ name }) => names.has(name));
}

/** Throws InputError where a recording and a reference have nothing to do with each other. */
function checkCommon(
  recording: TensorMap,
  probes: readonly Probe[],
  where: string,
  { only }: JudgeOptions,
): void {
  const names = [...recording.keys()];
  // What a port was given proves nothing about it, unless somebody asks for just that.
  const computed = (probe: Probe): boolean => only !== undefined || !isGiven(probe);
  if (probes.some((probe) => recording.has(probe.name) && computed(probe))) return;
  const found =
    names.length === 0 ? 'the recording is empty' : `the recording holds ${listed(names)}`;
  const near = names.length === 0 ? [] : nearestNames(names[0], namesOf(probes));
  throw new InputError(
    `no probe in common: ${found}; the reference ${listed(namesOf(probes.filter((p) => !isGiven(p))))}`,
    {
      where,
      fix:
        near.length > 0
          ? `did you mean ${near[0]}?`
          : 'rename by a map, --map FILE, as docs/judge-your-port.md shows; swa-align names proposes one',
    },
  );
}

/** Why a tensor that passes by this rule proves little, or undefined. */
function weakness(rule: Rule): string | undefined {
  if (rule.kind !== 'float64' || rule.tolerance.relativeL2 <= weakLimit) return undefined;
  const { relativeL2, unit, scale } = rule.tolerance;
  const percent = relativeL2 < 1 ? (relativeL2 * 100).toPrecision(2) : Math.round(relativeL2 * 100);
  const of = scale === undefined ? '' : ` of ${scale.what}`;
  return `what is off by ${percent} %${of} passes, for ${unit?.what}: this tensor proves little`;
}

/** One at a time: a reference may be larger than the memory, and is read as it is judged. */
function verdictOf(
  probe: Probe,
  ours: Tensor | undefined,
  reference: ProbeReference,
  options: JudgeOptions,
): Verdict {
  const { name, layer, what } = probe;
  const rule = ruleFor(reference, probe, options);
  const fit = ours === undefined ? undefined : prepared(ours, probe, rule, options);
  const problem = typeof fit === 'string' ? fit : undefined;
  const expected: Expectation = {
    name,
    ...(layer && { layer }),
    ...(what && { what }),
    rule: problem === undefined ? rule : { kind: 'refusal', problem },
  };
  const recording = new Map(typeof fit === 'object' ? [[name, fit]] : []);
  const [verdict] = judge({ recording }, [expected]).verdicts;
  const warning = verdict.problem === undefined ? weakness(rule) : undefined;
  return warning === undefined ? verdict : { ...verdict, warning };
}

/**
 * Holds what a port computed against a reference of any network, in the order in which things are computed. What is
 * given to a port is judged where it was recorded. Throws InputError where the two have no name of a computed tensor in common.
 */
export function judgeProbes(
  recording: TensorMap,
  reference: ProbeReference,
  options: JudgeOptions = {},
): ProbesJudged {
  const probes = chosenOf(reference, options);
  checkCommon(recording, probes, reference.where, options);
  const missing = probes.filter((p) => !recording.has(p.name) && !isGiven(p)).map((p) => p.name);
  const asked = probes.filter(({ name }) => recording.has(name) || missing.includes(name));
  const known = new Set(reference.probes.map(({ name }) => name));
  const extra = [...recording.keys()].filter((name) => !known.has(name));
  const lacking = new Set(missing);
  const verdicts = asked
    .filter(({ name }) => options.partial !== true || !lacking.has(name))
    .map((probe) => verdictOf(probe, recording.get(probe.name), reference, options));
  const weak = verdicts.filter(({ warning }) => warning !== undefined);
  return {
    verdicts: withInheritance(verdicts, reference.probes, lacking),
    missing,
    extra,
    notes: [
      ...(missing.length > 0 && options.partial === true
        ? [`not recorded: ${listed(missing)} (${missing.length} of ${probes.length})`]
        : []),
      ...(extra.length > 0 ? [`recorded, and no probe of the reference: ${listed(extra)}`] : []),
      ...weak.slice(0, shown).map((v) => `${printable(v.name)}: ${v.warning}`),
      ...(weak.length > shown
        ? [
            `${weak.length - shown} more prove little: ${listed(weak.slice(shown).map((v) => v.name))}`,
          ]
        : []),
      ...byReason(reference.manifest.left_out).map(
        ([why, names]) => `left out of the reference: ${listed(names)}: ${why}`,
      ),
      ...reference.manifest.notes,
    ],
  };
}

/** A missing tensor is nobody's mistake but the recorder's: what is computed from it is judged by its own inputs. */
function withInheritance(
  verdicts: readonly Verdict[],
  probes: readonly Probe[],
  lacking: ReadonlySet<string>,
): Verdict[] {
  const judged = verdicts.filter(({ name }) => !lacking.has(name));
  const failed = new Set(judged.filter((v) => !passed(v)).map(({ name }) => name));
  const inherited = inheritedFrom(probes, failed, new Set(judged.map(({ name }) => name)));
  return verdicts.map((verdict) => {
    const inherits = inherited.get(verdict.name);
    return inherits === undefined ? verdict : { ...verdict, inherits };
  });
}
