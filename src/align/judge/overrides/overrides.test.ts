import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError, UsageError } from '../../../errors.ts';
import { check, passed, type Verdict } from '../verdict.ts';
import { fits } from './glob.ts';
import { overridesFor, readOverrides } from './overrideFile.ts';
import { overrideOf, withOverride } from './overrides.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'swa-align-tolerances-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

function read(content: unknown): unknown {
  const path = join(dir, 'tolerances.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return readOverrides(path);
}
const format = 'swa-align-tolerances/1';
const entry = { tensor: 'logits', limit: 1e-5, reason: 'bfloat16' };

describe('a tolerance file', () => {
  it('gives its overrides', () => {
    expect(read({ format, overrides: [entry] })).toEqual([entry]);
  });

  it.each([
    ['no reason', { ...entry, reason: undefined }, 'reason'],
    ['an empty reason', { ...entry, reason: '  ' }, 'written reason'],
    ['no limit', { ...entry, limit: undefined }, 'limit'],
    ['a limit of nothing', { ...entry, limit: 0 }, 'limit'],
    ['an unknown measure', { ...entry, method: 'guess' }, 'method'],
    ['a misspelt key', { ...entry, tensors: 'x' }, 'tensors'],
  ])('is refused with %s, naming the entry', (_, wrong, said) => {
    expect(() => read({ format, overrides: [entry, wrong] })).toThrow(InputError);
    expect(() => read({ format, overrides: [entry, wrong] })).toThrow(/overrides\.1/);
    expect(() => read({ format, overrides: [entry, wrong] })).toThrow(said);
  });

  it('is refused when it is something else', () => {
    expect(() => read('no json')).toThrow(/not JSON/);
    expect(() => read({ overrides: [entry] })).toThrow(/format/);
    expect(() => read({ format, overrides: [] })).toThrow(InputError);
  });
});

describe('a pattern', () => {
  it('matches itself, whatever characters it holds, and nothing longer', () => {
    const name = fc.string({ unit: fc.constantFrom(...'ab01./+()[]$^|\\'), minLength: 1 });
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(fits(a, [a])).toBe(true);
        expect(fits(a + b, [a])).toBe(false);
        expect(fits(a + b, [`${a}*`])).toBe(true);
        expect(fits(`x${a}`, [`?${a}`])).toBe(true);
      }),
    );
  });

  it('without a star or a question mark matches nothing but itself', () => {
    const characters = [...'ab01./+()[]{}-$^|\\'];
    const name = fc.array(fc.constantFrom(...characters), { minLength: 1 });
    fc.assert(
      fc.property(name, fc.nat(), fc.constantFrom(...characters), (pattern, at, other) => {
        const changed = pattern.with(at % pattern.length, other);
        const same = changed.join('') === pattern.join('');
        expect(fits(changed.join(''), [pattern.join('')])).toBe(same);
      }),
    );
  });

  it('counts from the last entry', () => {
    const overrides = [entry, { ...entry, tensor: '*', limit: 1 }];
    expect(overrideOf(overrides, 'logits')?.limit).toBe(1);
    expect(overrideOf([entry], 'loss')).toBeUndefined();
  });

  it('belongs to a model in any spelling', () => {
    const bn = { ...entry, model: 'VGG16BN' };
    expect(overridesFor([entry, bn], 'vgg16bn')).toEqual([entry, bn]);
    expect(overridesFor([entry, bn], 'vgg16')).toEqual([entry]);
    expect(() => overridesFor([{ ...entry, model: 'VGG17' }], 'vgg16')).toThrow(UsageError);
  });
});

describe('a verdict under a limit set by hand', () => {
  const verdict: Verdict = {
    name: 'w.grad',
    checks: [
      check('relative l2', 2e-5, 5e-6, { pytorch: 1e-6 }),
      check('ratio', 20, 4),
      check('moments', 3, 1),
    ],
    worst: { index: [0], ours: 1, pytorch: 2, beyond: 1, of: 1 },
  };
  const override = { tensor: '*.grad', limit: 3e-5, reason: 'a reason' };

  it('passes below it, with the reason at hand', () => {
    const judged = withOverride(verdict, [override]);
    expect(passed(verdict)).toBe(false);
    expect(passed(judged)).toBe(true);
    expect(judged.override).toEqual(override);
    expect(judged.checks[0].note).toContain('a reason');
    expect(judged.worst).toBeUndefined();
    expect(judged.checks.map((c) => c.method)).toEqual(['relative l2', 'moments']);
  });

  it('fails above it', () => {
    expect(passed(withOverride(verdict, [{ ...override, limit: 1e-5 }]))).toBe(false);
  });

  it('can also be tighter', () => {
    const good = { name: 'w.grad', checks: [check('relative l2', 4e-6, 5e-6)] };
    expect(passed(good)).toBe(true);
    expect(passed(withOverride(good, [{ ...override, limit: 1e-6 }]))).toBe(false);
  });

  it('stays a failure where nothing could be measured', () => {
    const missing = { name: 'w.grad', checks: [], problem: 'missing on our side' };
    expect(withOverride(missing, [override])).toBe(missing);
  });

  it('refuses a measure the tensor is not judged by', () => {
    expect(() => withOverride(verdict, [{ ...override, method: 'mean' }])).toThrow(UsageError);
  });
});
