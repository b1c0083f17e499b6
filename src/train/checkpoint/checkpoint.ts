import { z } from 'zod';
import type { StreamPosition } from '../../data/trainingStream.ts';
import { InputError } from '../../errors.ts';
import type { Safetensors } from '../../io/safetensors/safetensors.ts';
import { readSafetensorsFile, writeSafetensorsTo } from '../../io/safetensors/safetensorsFile.ts';
import { sha256Hex } from '../../io/sha256/sha256.ts';
import { slotsOf } from '../../optim/optimizer.ts';
import { slotOf } from '../../program/program.ts';
import { averageOf } from '../../program/weightUpdates.ts';
import { sameShape } from '../../tensor/shape.ts';
import { bytesOf, type Tensor, type TensorMap, tensor } from '../../tensor/tensor.ts';
import type { DatasetDigest } from '../dataset.ts';
import { type EpochSums, epochSumsSchema, type LogRow, logRowSchema } from '../logRow.ts';
import {
  optimizerOf,
  settingsSchema,
  type TrainingSettings,
} from '../settings/trainingSettings.ts';
import { rankPositionBytes, rankPositionFrom, rankPositionTo } from './rankPositions.ts';

/**
 * A run between two steps: all it takes to go on as if it had never stopped. It holds no clock times, so
 * two identical runs write identical bytes.
 *
 * In the file: weights and buffers under PyTorch's names, `<name>.momentum`, `swa.<name>`, and
 * `generator`, the bytes of get_rng_state; all the rest is text in the metadata.
 */
export interface Checkpoint {
  readonly settings: TrainingSettings;
  /** The backend's name: another one goes on with other rounding. */
  readonly backend: string;
  readonly data: DatasetDigest;
  readonly position: StreamPosition;
  /** Where the ranks from 1 on are, of a run that several share. */
  readonly ranks?: readonly StreamPosition[];
  readonly sums: EpochSums;
  readonly rows: readonly LogRow[];
  /** See `stateDict`. */
  readonly weights: TensorMap;
  /** By `<name>.momentum`. */
  readonly momenta: TensorMap;
  /** How many models the average holds. */
  readonly averaged: number;
  /** A state dict; undefined until a model has joined. Its running statistics are fresh unless `refreshFrom`. */
  readonly average: TensorMap | undefined;
  /** The generator state that the pass for the average's running statistics, still to be made, draws from. */
  readonly refreshFrom?: Uint8Array;
  /** What is done of an epoch's end; absent amid an epoch, and when all is done. */
  readonly closing?: Closing;
}

const closingSchema = z.strictObject({
  /** The test set's numbers, once the model was evaluated. */
  tested: z.strictObject({ loss: z.number(), accuracy: z.number() }).optional(),
  /** Whether the weights have joined the average. */
  joined: z.boolean(),
});

/** An epoch whose steps are made, and whose evaluations and average are not. */
export type Closing = z.infer<typeof closingSchema>;

/** Whether nothing of an epoch's end is left to be done. */
export const isSettled = ({ refreshFrom, closing }: Checkpoint): boolean =>
  refreshFrom === undefined && closing === undefined;

const format = 'swa-align checkpoint';
const version = '1';
const generatorTensor = 'generator';
const refreshTensor = 'swa_generator';
const ranksTensor = 'rank_generators';

/** A JSON text that holds what `schema` describes. */
const json = <S extends z.ZodType>(schema: S) =>
  z
    .string()
    .transform((text, issues): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        issues.addIssue({ code: 'custom', message: 'is not JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);

const digits = z.string().regex(/^\d{1,20}$/);
const whole = digits.transform(Number).pipe(z.int());
const rowsSchema = z.array(logRowSchema);
const dataSchema = z.strictObject({ train: z.string(), test: z.string() });

const metadataSchema = z.strictObject({
  format: z.literal(format),
  version: z.literal(version),
  epoch: whole,
  step: whole,
  base_seed: digits.transform(BigInt).optional(),
  sampler_seed: digits.transform(BigInt).optional(),
  swa_n: whole,
  settings: json(settingsSchema),
  backend: z.string(),
  data: json(dataSchema),
  sums: json(epochSumsSchema),
  rows: json(rowsSchema),
  closing: json(closingSchema).optional(),
  sha256: z.string(),
});

/** One digest over every name, type, shape, value and word of metadata. */
export function checkpointDigest(
  tensors: TensorMap,
  metadata: Readonly<Record<string, string>>,
): string {
  const lines = [...tensors].map(
    ([name, t]) => `${name} ${t.dtype} ${t.shape.join('x')} ${sha256Hex(bytesOf(t))}`,
  );
  for (const [key, value] of Object.entries(metadata)) {
    if (key !== 'sha256') lines.push(`${key}=${value}`);
  }
  return sha256Hex(new TextEncoder().encode(lines.sort().join('\n')));
}

function metadataOf(checkpoint: Checkpoint): Record<string, string> {
  const { epoch, step, seeds } = checkpoint.position;
  const text = (schema: z.ZodType, value: unknown): string => JSON.stringify(schema.parse(value));
  return {
    format,
    version,
    epoch: String(epoch),
    step: String(step),
    ...(seeds === undefined ? {} : { base_seed: String(seeds.baseSeed) }),
    ...(seeds?.samplerSeed === undefined ? {} : { sampler_seed: String(seeds.samplerSeed) }),
    swa_n: String(checkpoint.averaged),
    settings: text(settingsSchema, checkpoint.settings),
    backend: checkpoint.backend,
    data: text(dataSchema, checkpoint.data),
    sums: text(epochSumsSchema, checkpoint.sums),
    rows: text(rowsSchema, checkpoint.rows),
    ...(checkpoint.closing && { closing: text(closingSchema, checkpoint.closing) }),
  };
}

/** Writes a checkpoint as one step: whatever happens, the file is whole or not there. */
export function writeCheckpoint(path: string, checkpoint: Checkpoint): void {
  const { weights, momenta, average, refreshFrom, position } = checkpoint;
  const tensors = new Map<string, Tensor>([...weights, ...momenta]);
  for (const [name, value] of average ?? []) tensors.set(averageOf(name), value);
  const { generator } = position;
  tensors.set(generatorTensor, tensor('uint8', [generator.length], generator));
  if (refreshFrom !== undefined) {
    tensors.set(refreshTensor, tensor('uint8', [refreshFrom.length], refreshFrom));
  }
  const { ranks } = checkpoint;
  if (ranks !== undefined) {
    const bytes = new Uint8Array(ranks.length * rankPositionBytes);
    for (const [i, rank] of ranks.entries()) bytes.set(rankPositionTo(rank), i * rankPositionBytes);
    tensors.set(ranksTensor, tensor('uint8', [ranks.length, rankPositionBytes], bytes));
  }
  const metadata = metadataOf(checkpoint);
  writeSafetensorsTo(path, tensors, { ...metadata, sha256: checkpointDigest(tensors, metadata) });
}

/** Whether a .safetensors file's metadata say that it is a checkpoint. */
export const isCheckpoint = (metadata: ReadonlyMap<string, string>): boolean =>
  metadata.get('format') === format;

/** Reads a checkpoint; throws InputError, naming the file, also when it is missing. See `checkpointOf`. */
export const readCheckpoint = (path: string): Checkpoint =>
  checkpointOf(readSafetensorsFile(path), path);

/**
 * The checkpoint that a .safetensors file holds. Throws InputError, naming `path`, when it is damaged in
 * a single bit, or no checkpoint.
 */
export function checkpointOf({ tensors, metadata: pairs }: Safetensors, path: string): Checkpoint {
  const damaged = (what: string): InputError =>
    new InputError(what, { where: path, fix: 'name another checkpoint of the run' });
  if (!isCheckpoint(pairs)) {
    throw new InputError('is not a checkpoint of a training run', {
      where: path,
      fix: 'name a checkpoint-*.safetensors that train wrote',
    });
  }
  if (pairs.get('version') !== version) {
    throw new InputError(`is a checkpoint of version ${pairs.get('version')}, not ${version}`, {
      where: path,
      fix: 'read it with the version of swa-align that wrote it',
    });
  }
  const stored = Object.fromEntries(pairs);
  if (stored.sha256 !== checkpointDigest(tensors, stored))
    throw damaged('is damaged: its digest differs');
  const parsed = metadataSchema.safeParse(stored);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw damaged(`metadata ${issue.path.join('.')}: ${issue.message}`);
  }
  const { settings, backend, data, sums, rows, closing, swa_n: averaged, ...place } = parsed.data;
  const generator = tensors.get(generatorTensor);
  if (generator?.dtype !== 'uint8') throw damaged('holds no generator state');
  const refreshFrom = tensors.get(refreshTensor);
  if (refreshFrom !== undefined && refreshFrom.dtype !== 'uint8') {
    throw damaged(`${refreshTensor} is not a generator state`);
  }
  const others = tensors.get(ranksTensor);
  const shared = (settings.distributed?.ranks ?? 1) - 1;
  if (settings.distributed !== undefined) {
    const fits = others?.dtype === 'uint8' && sameShape(others.shape, [shared, rankPositionBytes]);
    if (!fits) throw damaged(`holds no generator states of ${shared} more ranks`);
  }
  const { weights, momenta, average } = sorted(tensors, settings);
  if (averaged > 0 !== average.size > 0) {
    throw damaged(`${averaged} averaged models and ${average.size} averaged tensors`);
  }
  return {
    settings,
    backend,
    data,
    position: positionOf(place, generator.data),
    ...(others?.dtype === 'uint8' && {
      ranks: Array.from({ length: shared }, (_, i) =>
        rankPositionFrom(
          others.data.subarray(i * rankPositionBytes, (i + 1) * rankPositionBytes),
          place,
        ),
      ),
    }),
    sums,
    rows,
    weights,
    momenta,
    averaged,
    average: averaged > 0 ? average : undefined,
    ...(refreshFrom && { refreshFrom: refreshFrom.data }),
    ...(closing && { closing }),
  };
}

/** Where a rank goes on. Throws InputError, naming `path`, where the checkpoint knows of no such rank. */
export function positionOfRank(
  { position, ranks = [] }: Checkpoint,
  rank: number,
  path: string,
): StreamPosition {
  const found = rank === 0 ? position : ranks[rank - 1];
  if (found !== undefined) return found;
  throw new InputError(`is of ${ranks.length + 1} ranks: there is no rank ${rank}`, {
    where: path,
  });
}

function positionOf(
  place: Pick<z.infer<typeof metadataSchema>, 'epoch' | 'step' | 'base_seed' | 'sampler_seed'>,
  generator: Uint8Array,
): StreamPosition {
  const { epoch, step, base_seed: baseSeed, sampler_seed: samplerSeed } = place;
  if (baseSeed === undefined) return { epoch, step, generator };
  const seeds = samplerSeed === undefined ? { baseSeed } : { baseSeed, samplerSeed };
  return { epoch, step, seeds, generator };
}

const notWeights: ReadonlySet<string> = new Set([generatorTensor, refreshTensor, ranksTensor]);

/** The three kinds of tensors, told apart by their names. */
function sorted(tensors: TensorMap, settings: TrainingSettings) {
  const [average, momenta, weights] = [0, 1, 2].map(() => new Map<string, Tensor>());
  const averagePrefix = averageOf('');
  const suffixes = slotsOf(optimizerOf(settings)).map((slot) => slotOf('', slot));
  for (const [name, value] of tensors) {
    if (notWeights.has(name)) continue;
    if (name.startsWith(averagePrefix)) average.set(name.slice(averagePrefix.length), value);
    else if (suffixes.some((suffix) => name.endsWith(suffix))) momenta.set(name, value);
    else weights.set(name, value);
  }
  return { average, momenta, weights };
}
