import { checkMatches, readOverrides } from '../../align/judge/overrides/overrideFile.ts';
import type { Override } from '../../align/judge/overrides/overrides.ts';
import type { StageName } from '../../align/reference/manifest.ts';
import type { Reference } from '../../align/reference/reference.ts';
import type { Runs } from '../../align/sideBySide/runs.ts';
import { openBackend, openOnDevice } from '../../backends/choose.ts';
import { runOnnxModel } from '../../backends/ort/onnx/onnxModel.ts';
import { type BackendOptions, everyBackend, openInProcess } from '../../backends/registry.ts';
import { diagnosedStage } from '../../diagnose/stages/stage.ts';
import type { CliContext } from '../context.ts';
import { live } from '../terminal/liveLine.ts';
import type { DiffOptions } from './options.ts';
import { ranksByMpi } from './ranksByMpi.ts';
import { diffWeights } from './weights.ts';

/** Read, and each held against the names there are, before anything is computed. */
function overridesOf(options: DiffOptions, opened: readonly Reference[]): Override[] {
  if (options.tolerances === undefined) return [];
  const overrides = readOverrides(options.tolerances);
  checkMatches(overrides, opened, options.tolerances);
  return overrides;
}

/** The files that were given, read and held against the references before anything is computed or written. */
export function givenTo(
  options: DiffOptions,
  opened: readonly Reference[],
  context: CliContext,
): Pick<Runs, 'weights' | 'overrides'> {
  if (options.trace === true) for (const reference of opened) reference.stage('trace');
  const overrides = overridesOf(options, opened);
  const weights = diffWeights(options.weights, opened[0], context);
  return { overrides, ...(weights && { weights }) };
}

/** What is run. */
export async function runsOf(
  options: DiffOptions,
  opened: readonly Reference[],
  wanted: readonly StageName[],
  given: Pick<Runs, 'weights' | 'overrides'>,
): Promise<Runs> {
  const { backends, allBackends = false, trace = false, flips = false } = options;
  const sideBySide = allBackends || backends !== undefined;
  const { threads, device, grad, precision, ortLibrary } = options;
  const how: BackendOptions = {
    ...(threads !== undefined && { threads }),
    ...(precision !== undefined && { precision }),
    ...(ortLibrary !== undefined && { ortLibrary }),
    // Each of several is named with its device.
    ...(!sideBySide && { device, ...(grad !== undefined && { grad }) }),
  };
  return {
    ...given,
    backends: backends ?? (allBackends ? everyBackend : [options.backend]),
    open: (name) => openOnDevice(name, how),
    sideBySide,
    named: !allBackends,
    stages: wanted,
    references: opened,
    // In a thread of its own it computes beside the other backend.
    oracle: await (trace ? openBackend : openInProcess)('oracle'),
    flips,
    trace,
    progress: live.begin,
    diagnose: (result, context) => diagnosedStage(result.stage, result, context),
    ranks: (name) => ranksByMpi(name, how),
    runOnnx: runOnnxModel,
  };
}
