import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { relativeError } from '../../src/align/measure/relativeError.ts';
import { openReference } from '../../src/port/openReference.ts';
import type { PortReference } from '../../src/port/portReference.ts';
import { hasRecorderTorch } from '../support/pythons.ts';

const script = fileURLToPath(new URL('recorderCases.py', import.meta.url));

describe.skipIf(!hasRecorderTorch)('the recorder (needs PyTorch 2.1)', () => {
  let dir: string;
  let said: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'swa-align-recorder-'));
    const made = spawnSync('python3', [script, dir], { encoding: 'utf8' });
    expect(made.status, made.stderr).toBe(0);
    said = made.stdout;
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const open = (name: string): PortReference => openReference(join(dir, name));
  const errors = (reference: PortReference) =>
    reference.probes.flatMap((probe) => {
      const record = reference.record(probe);
      if (record === undefined) return [];
      const own = relativeError(record.pytorch, record.truth, probe.scale?.value);
      return [{ name: probe.name, own, rounding: record.rounding! }];
    });

  it.each([
    'scheduled',
    'clipped',
    'dropped',
    'attended',
    'compiled',
    'masked',
    'typed',
    'kink_free',
    'used',
  ])('%s: float64 repeats what float32 did, with the same settings and draws', (name) => {
    const found = errors(open(name));
    expect(found.length).toBeGreaterThan(1);
    expect(found.filter(({ own }) => !(own < 1e-5))).toEqual([]);
  });

  it('no recorded spread is less than the error of the run itself', () => {
    const found = errors(open('scheduled'));
    expect(found.filter(({ own, rounding }) => rounding < own * 0.999)).toEqual([]);
    expect(found.some(({ rounding }) => rounding > 0)).toBe(true);
  });

  it('leaves out what depends on a decision that float32 and float64 take apart', () => {
    const { manifest, probes } = open('flipped');
    expect(manifest.left_out['first.weight.grad']).toMatch(/decisions of .* fall otherwise/);
    expect(manifest.left_out['step1/loss']).toMatch(/an earlier step is not to be repeated/);
    expect(probes.map(({ name }) => name)).toContain('loss');
    expect(said).toMatch(/flipped: Cancelling: .*left out .*choose samples with rec\.kink_free/);
  });

  it('leaves out what depends on a decision within rounding of its kink', () => {
    const { manifest } = open('near');
    expect(manifest.left_out['first.weight.grad']).toMatch(
      /a decision of relu lies .* from its kink/,
    );
    expect(open('kink_free').manifest.left_out).toEqual({});
  });

  const namesOf = (name: string): string[] => open(name).probes.map((probe) => probe.name);

  it('leaves out no gradient but those that a decision can reach', () => {
    const { left_out } = open('branches').manifest;
    const first = Object.keys(left_out).filter((name) => !name.startsWith('step1/'));
    const grad = (layer: string) => [`${layer}.output.grad`, `${layer}.weight.grad`];
    expect(new Set(first)).toEqual(
      new Set([...grad('kinked.first'), 'kinked.first.weight', 'kinked.first.weight.momentum']),
    );
    expect(namesOf('branches')).toEqual(
      expect.arrayContaining([
        ...grad('kinked.last'),
        'kinked.relu.output.grad',
        ...grad('smooth'),
        ...grad('last'),
        'smooth.weight',
        'step1/smooth.output',
      ]),
    );
    expect(left_out['step1/loss']).toMatch(/^an earlier step is not to be repeated: a decision of/);
    expect(left_out['step1/kinked.first.output']).toMatch(/an earlier step/);
    expect(left_out['step1/smooth.weight.grad']).toMatch(/an earlier step/);
  });

  it('leaves out all gradients of a step that clips them by their norm', () => {
    const { left_out } = open('branches_clipped').manifest;
    expect(Object.keys(left_out)).toContain('smooth.weight.grad');
    expect(Object.keys(left_out)).toContain('last.bias');
    expect(namesOf('branches_clipped')).toContain('smooth.output.grad');
  });

  it('leaves out what jumps with a choice that depends on rounding, forward too', () => {
    const { left_out } = open('routed').manifest;
    expect(Object.keys(left_out)).toEqual(expect.arrayContaining(['out.output']));
    expect(namesOf('routed')).toEqual(expect.arrayContaining(['gate.output', 'first.output']));
  });

  it('leaves out what PyTorch itself has lost in rounding', () => {
    const { left_out } = open('lost').manifest;
    expect(left_out['out.output']).toBe("PyTorch's own rounding moves it by more than 10%");
    expect(namesOf('lost')).toContain('fc.output');
  });

  it('leaves out what is infinite by design, and judges what is made of it', () => {
    const { left_out } = open('masked').manifest;
    expect(Object.entries(left_out)).toEqual(
      ['add.output', 'step1/add.output'].map((name) => [
        name,
        'it holds NaN or infinity: nothing can be judged by it',
      ]),
    );
    expect(open('masked').probe('softmax.output').from).toEqual(['fc.output', 'input.mask']);
    expect(open('masked').probe('fc.weight.grad').kind).toBe('weight gradient');
  });

  it('repeats in float64 what asks for float32 by name', () => {
    const { record, probe } = open('typed');
    const { truth } = record(probe('out.output'))!;
    expect([...truth.data].filter((x) => Math.fround(Number(x)) !== x).length).toBeGreaterThan(4);
  });

  it('takes off what is wrapped round a model, and keeps the mask of dropout in attention', () => {
    expect(open('compiled').manifest.notes).toEqual([
      'OptimizedModule was taken off',
      'DataParallel was taken off',
    ]);
    const draws = open('attended').probes.filter(({ kind }) => kind === 'draw');
    expect(draws.map(({ shape }) => shape)).toEqual([
      [2, 5, 5],
      [2, 2, 5, 5],
      [2, 5, 5],
      [2, 2, 5, 5],
    ]);
  });

  it('says of one that it is one', () => {
    expect(said).toMatch(/ probes in 1 pass(;|$)/m);
    expect(said).not.toMatch(/\b1 (probes|passes)\b/);
  });

  it('a search says how far it is, and ends when all or the time is used up', () => {
    const [all, late, terminal] = ['all', 'late', 'terminal'].map((name) => {
      const line = said.split('\n').find((text) => text.startsWith(`["${name}"`))!;
      const [, screen, error] = JSON.parse(line) as [string, string, string];
      return { screen, error };
    });
    expect(all.error).toMatch(
      /^no 2 of 40 samples are kink-free \(0 of 40 samples may do, 1 rehearsed\): give more samples/,
    );
    expect(late.error).toMatch(/^no 2 kink-free samples in 25 s \(.*\): .*, or more seconds$/);
    expect(late.screen).toMatch(/^(kink_free: [^\r]*\n)+$/);
    expect(late.screen).toMatch(/kink_free: \d+ of 25 s: 0 of 40 samples may do/);
    const renewed = terminal.screen.split('\r\u001b[K');
    expect(renewed.shift()).toBe('');
    expect(renewed.pop()).toMatch(/^kink_free: given up .*\n$/);
    expect(renewed.length).toBeGreaterThan(2);
    for (const line of renewed) expect(line).toMatch(/^kink_free: .{1,68}$/);
  });

  it('keeps every random draw, by the layer that drew it', () => {
    const draws = open('dropped').probes.filter(({ kind }) => kind === 'draw');
    expect(draws.map(({ name, shape }) => [name, shape])).toEqual([
      ['dropout.mask', [4, 8]],
      ['draw.1', [4, 8]],
      ['draw.2', [4, 8]],
      ['step1/dropout.mask', [4, 8]],
      ['step1/draw.1', [4, 8]],
      ['step1/draw.2', [4, 8]],
    ]);
  });

  it('names nested inputs and outputs, and takes only the layers that are asked for', () => {
    const { manifest, probes } = open('used');
    const names = probes.filter(({ name }) => !name.startsWith('initial/')).map((p) => p.name);
    expect(names).toEqual(['input.x', 'input.scale.by', 'bn.output', 'left.output']);
    expect(manifest.notes).toEqual(['DataParallel was taken off']);
    expect(manifest.passes).toEqual([{ kind: 'evaluation' }]);
  });

  it('gives the gradient of the last layer to the loss', () => {
    const { probe } = open('scheduled');
    expect(probe('2.output.grad')).toMatchObject({
      from: ['loss', '2.output'],
      layer: 'loss',
    });
    expect(probe('1.output.grad')).toMatchObject({
      from: ['2.output.grad', '1.output', 'initial/2.weight', 'initial/2.bias'],
      layer: '2',
    });
    expect(probe('step1/2.weight.grad').from).toEqual([
      'step1/2.output.grad',
      'step1/1.output',
      '2.weight',
      '2.bias',
    ]);
  });
});
