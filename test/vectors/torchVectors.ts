import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import {
  forkGenerator,
  generatorState,
  nextU32,
  type TorchGenerator,
} from '../../src/torch/generator.ts';

/** A generator's state as the vectors describe it. */
export interface StateVector {
  readonly left: number;
  readonly next: number;
  readonly state_head: readonly number[];
  readonly state_tail: readonly number[];
  readonly sha256_of_5056_bytes: string;
  readonly next_raw_u32: readonly number[];
}

/** Float32 values: their first and last as big-endian bit patterns, and the hash of all. */
export interface FloatsVector {
  readonly n?: number;
  readonly shape?: readonly number[];
  readonly head: readonly string[];
  readonly tail?: readonly string[];
  readonly sha256_f32le: string;
}

export interface MaskVector {
  readonly head: string;
  readonly sum: number;
  readonly sha256_u8: string;
}

export interface SeedVectors {
  readonly state_after_manual_seed: StateVector;
  readonly raw_u32: readonly number[];
  readonly raw_u32_from_draw_626: readonly number[];
  readonly randint_0_9: readonly number[];
  readonly 'randint_0_2^32': readonly string[];
  readonly random__int64: readonly string[];
  readonly rand_f32: readonly string[];
  readonly rand_f64: readonly string[];
  readonly 'uniform_-0.1_0.1_f32': readonly string[];
  readonly uniform_pm_1_over_sqrt27_f32: FloatsVector & { bound_f64: string; bound_f32: string };
  readonly 'uniform_0.3_2.7_f32': FloatsVector;
  readonly randperm_1: readonly number[];
  readonly randperm_2: readonly number[];
  readonly randperm_5: readonly number[];
  readonly randperm_10: readonly number[];
  readonly randperm_50000: {
    readonly head: readonly number[];
    readonly tail: readonly number[];
    readonly sha256_i64le: string;
    readonly sha256_i32le: string;
  };
  readonly 'bernoulli_0.5': MaskVector;
  readonly 'bernoulli_0.9': MaskVector;
  readonly 'normal_0_std0.0589255': Readonly<Record<string, readonly string[]>>;
  readonly normal_0_1_n100003: FloatsVector;
  readonly 'normal_0.25_1.7_n4096': FloatsVector;
  readonly 'normal_seq_n3_n32_n2(mean1,std2)_cache': {
    readonly a: readonly string[];
    readonly b_head: readonly string[];
    readonly c: readonly string[];
    readonly state: StateVector;
  };
  readonly Linear_512_10: { readonly weight: FloatsVector; readonly bias: readonly string[] };
  readonly Conv2d_3_64_k3: { readonly weight: FloatsVector; readonly bias: FloatsVector };
  readonly 'Dropout0.5_ones_4x64': { readonly mask: string; readonly kept_value: string };
  readonly 'Dropout0.3_ones_64': { readonly mask: string; readonly kept_value: string };
}

export interface BatchVector {
  readonly indices_head: readonly number[];
  readonly aug_flip_i_j: readonly string[];
  readonly mask0_head: string;
  readonly mask0_kept: number;
  readonly mask0_sha256_u8: string;
  readonly mask1_kept: number;
  readonly mask1_sha256_u8: string;
  readonly size: number;
}

export interface EpochVector {
  readonly base_seed: string;
  readonly sampler_seed: string;
  readonly order_head: readonly number[];
  readonly batches: Readonly<Record<string, BatchVector>>;
  readonly order_sha256_i32le?: string;
  readonly all_aug_sha256_u8_flip_i_j?: string;
  readonly state_after_epoch?: StateVector;
  readonly state_after_eval_loader?: StateVector;
}

export interface ScriptVectors {
  readonly vgg16_params: Readonly<Record<string, FloatsVector>>;
  readonly state_after_build: StateVector;
  readonly 'state_after_second_build_(--swa)'?: StateVector;
  readonly epochs?: readonly EpochVector[];
}

export interface TorchVectors {
  readonly seeds: Readonly<Record<string, SeedVectors>>;
  readonly totensor_normalize_table_rgb: readonly string[];
  readonly train_script: Readonly<Record<string, ScriptVectors>>;
  readonly workers2: {
    readonly base_seed: string;
    readonly sampler_seed: string;
    readonly batches: readonly {
      readonly indices_head: readonly number[];
      readonly aug_head: readonly string[];
    }[];
    readonly state_after: StateVector;
  };
}

export const torchVectors: TorchVectors = JSON.parse(
  readFileSync(new URL('./torch-rng-vectors.json', import.meta.url), 'utf8'),
);

export const sha256 = (values: ArrayBufferView): string =>
  createHash('sha256')
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest('hex');

const hex = (bits: bigint, digits: number): string => bits.toString(16).padStart(digits, '0');

/** Big-endian bit patterns, as the vectors write floats. */
export const bitsOf = (values: Float32Array): string[] =>
  Array.from(new Uint32Array(values.slice().buffer), (bits) => hex(BigInt(bits), 8));

export const bits64Of = (values: Float64Array): string[] =>
  Array.from(new BigUint64Array(values.slice().buffer), (bits) => hex(bits, 16));

export function expectFloats(values: Float32Array, expected: FloatsVector): void {
  const { head, tail = [], n = values.length } = expected;
  expect(values.length).toBe(n);
  expect(bitsOf(values.subarray(0, head.length))).toEqual(head);
  expect(bitsOf(values.subarray(values.length - tail.length))).toEqual(tail);
  expect(sha256(values)).toBe(expected.sha256_f32le);
}

export function expectState(g: TorchGenerator, expected: StateVector): void {
  const state = generatorState(g);
  const view = new DataView(state.buffer);
  expect(view.getInt32(8, true)).toBe(expected.left);
  expect(Number(view.getBigUint64(16, true))).toBe(expected.next);
  const words = Array.from(g.words, (word) => word >>> 0);
  expect(words.slice(0, expected.state_head.length)).toEqual(expected.state_head);
  expect(words.slice(-expected.state_tail.length)).toEqual(expected.state_tail);
  expect(sha256(state)).toBe(expected.sha256_of_5056_bytes);
  const fork = forkGenerator(g);
  expect(expected.next_raw_u32.map(() => nextU32(fork))).toEqual(expected.next_raw_u32);
}

/** A mask as the vectors write it. */
export const maskText = (mask: Uint8Array): string => Array.from(mask).join('');
