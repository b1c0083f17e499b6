import type { Verdict } from '../align/judge/verdict.ts';
import { type RuleOptions, ruleFor } from '../align/probes/rule.ts';
import type { Probe } from '../align/reference/probe.ts';
import type { ProbeReference } from '../align/reference/probeReference.ts';
import { sameShape } from '../tensor/shape.ts';
import { type TensorMap, tensor, toFloat64 } from '../tensor/tensor.ts';
import { diagnosed } from './diagnose.ts';
import { hypotheses } from './hypotheses/index.ts';
import type { Hypothesis } from './hypothesis.ts';
import type { Settings } from './optimizer/rule.ts';
import { withinStep } from './stepName.ts';
import type { Evidence, Held, Suspect } from './suspect.ts';

/** What a reference holds of a probe; integers and what is given as float64. */
function heldOf(reference: ProbeReference, probe: Probe): Held {
  const { name, shape, kind, layer, what, axes } = probe;
  const found = reference.record(probe);
  const named = {
    name,
    shape,
    kind,
    ...(layer && { layer }),
    ...(what && { what }),
    ...(axes && { axes }),
  };
  if (found !== undefined) return { ...named, record: found };
  const whole = reference.whole(probe);
  const truth = tensor('float64', whole.shape, toFloat64(whole));
  return { ...named, record: { pytorch: whole, truth } };
}

interface Group {
  readonly pass: number;
  readonly settings: Settings;
  readonly parameters: ReadonlySet<unknown>;
}

/** Every group of parameters of every pass's optimizers. */
const groupsOf = ({ manifest }: ProbeReference): Group[] =>
  manifest.passes.flatMap(({ optimizers = [] }, pass) =>
    optimizers.flatMap(({ kind, groups }) =>
      groups.map(({ parameters, ...settings }) => ({
        pass,
        settings: { kind, ...settings },
        parameters: new Set(Array.isArray(parameters) ? parameters : []),
      })),
    ),
  );

/** The verdicts on a port, each failure with what the mistake is. */
export const diagnosedPort = (
  verdicts: readonly Verdict[],
  recording: TensorMap,
  reference: ProbeReference,
  options: RuleOptions,
): Verdict[] => diagnosedPortBy(hypotheses, verdicts, recording, reference, options);

/** The same, by some of the hypotheses. */
export function diagnosedPortBy(
  table: readonly Hypothesis[],
  verdicts: readonly Verdict[],
  recording: TensorMap,
  reference: ProbeReference,
  options: RuleOptions,
): Verdict[] {
  const probes = new Map(reference.probes.map((probe) => [probe.name, probe]));
  const kept = new Map<string, Held>();
  const held = (name: string): Held | undefined => {
    const probe = probes.get(name);
    if (probe === undefined) return undefined;
    const known = kept.get(name) ?? heldOf(reference, probe);
    kept.set(name, known);
    return known;
  };
  const [input] = reference.probes.filter(
    ({ kind, shape }) => kind === 'input' && shape.length > 0,
  );
  const groups = groupsOf(reference);
  const [{ settings: optimizer } = {}] = groups;
  const evidence: Evidence = {
    held,
    alike: (shape) =>
      reference.probes.flatMap((probe) =>
        sameShape(probe.shape, shape) ? [held(probe.name)!] : [],
      ),
    all: () => reference.probes.map(({ name }) => held(name)!),
    draws: () =>
      reference.probes.flatMap(({ kind, name }) => (kind === 'draw' ? [held(name)!] : [])),
    ours: (name) => recording.get(name),
    from: (name) => probes.get(name)?.from ?? [],
    ...(input && { batch: input.shape[0] }),
    ...(optimizer && { optimizer }),
    optimizerOf(parameter) {
      const { bare } = withinStep(parameter);
      const pass = probes.get(parameter)?.pass;
      return groups.find((group) => group.pass === pass && group.parameters.has(bare))?.settings;
    },
  };
  const suspectOf = ({ name }: Verdict): Suspect | undefined => {
    const [probe, ours] = [probes.get(name), recording.get(name)];
    if (probe === undefined || ours === undefined) return undefined;
    const rule = ruleFor(reference, probe, options);
    const tolerance = rule.kind === 'float64' ? rule.tolerance : undefined;
    return {
      ...held(name)!,
      ours,
      limit: tolerance?.relativeL2 ?? 0,
      ...(tolerance?.scale && { scale: tolerance.scale.value }),
    };
  };
  return diagnosed(verdicts, suspectOf, evidence, table);
}
