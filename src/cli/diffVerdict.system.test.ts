/** What `diff` ends with: its exit code and last words, over several models, foreign weights and stages left out. */
import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { weightsFromSeed } from '../align/reference/seedWeights.ts';
import { narrowModel, narrowWeights, randomBatch } from '../align/testdata/narrowStep.ts';
import { oracleReference } from '../align/testdata/oracleReference.ts';
import { fixturesDirectory } from '../fixtures.ts';
import { writeNpz } from '../io/numpy/npz.ts';
import { type ModelName, models } from '../nn/models/index.ts';
import { type Tensor, type TensorMap, tensor, toFloat64 } from '../tensor/tensor.ts';
import { stateDict } from '../train/stateDict.ts';
import { run } from './run.ts';
import { commandTest } from './testdata/commandTest.ts';

// Of a trace it is only asked how it ends: a network of the same layers, a sixteenth as wide, is traced in VGG16's place.
vi.mock('../align/trace/traceStep.ts', async (original) => {
  const { traceStep } = await original<typeof import('../align/trace/traceStep.ts')>();
  return {
    traceStep: async (context: Parameters<typeof traceStep>[0]) => {
      const { backend, oracle } = context;
      const [model, weights] = [narrowModel(), narrowWeights()];
      const parts = { model, weights, batch: randomBatch(5, 1), iterations: 1, single: backend };
      return traceStep({
        ...context,
        weights,
        reference: await oracleReference({ ...parts, oracle }),
      });
    },
  };
});

const { dir, printed, errors } = commandTest('verdict');
const out = () => join(dir, 'out');
const lastLine = () => printed.join('').trimEnd().split('\n').at(-1);

const build = (name: ModelName) => models[name].build(10);
const drawn = (name: ModelName): Map<string, Tensor> => new Map(weightsFromSeed(build(name), 0));

function fileOf(weights: TensorMap): string {
  const file = join(mkdtempSync(join(dir, 'weights-')), 'weights.npz');
  writeFileSync(file, writeNpz(weights));
  return file;
}

function limits(...overrides: { readonly tensor: string; readonly limit: number }[]): string {
  const file = join(dir, 'limits.json');
  const all = overrides.map((o) => ({ ...o, model: 'vgg16', reason: 'to make it fail' }));
  writeFileSync(file, JSON.stringify({ format: 'swa-align-tolerances/1', overrides: all }));
  return file;
}

describe('the exit code', () => {
  it('is 1 where the first of two models is wrong and the last is right', async () => {
    const tolerances = limits({ tensor: 'logits', limit: 1e-15 });
    const argv = ['diff', 'forward', '--tolerances', tolerances, '--out', out(), '--no-report'];
    expect(await run(argv)).toBe(1);
    expect(printed.filter((line) => /^ {2}[✓✗] forward/.test(line)).map((l) => l[2])).toEqual([
      '✗',
      '✓',
    ]);
    expect(lastLine()).toMatch(/^failed: vgg16 forward; logs in/);
  });

  it('is 1 where every stage passes and the trace does not', async () => {
    const tolerances = limits({ tensor: 'features.10.output.grad', limit: 1e-15 });
    const argv = ['diff', 'loss', '--model', 'vgg16', '--trace', '--tolerances', tolerances];
    expect(await run([...argv, '--out', out(), '--no-report'])).toBe(1);
    expect(printed.join('')).toMatch(/ {2}✓ loss/);
    expect(printed.join('')).toMatch(/✗ +features\.10\.output\.grad .*diverges {2}← first/);
    expect(lastLine()).toMatch(/^failed: vgg16 trace; logs in/);
  });
});

describe('--weights', () => {
  const diffOf = (model: ModelName, weights: TensorMap, target = out()) => {
    const argv = ['diff', 'loss', '--model', model, '--weights', fileOf(weights)];
    return run([...argv, '--out', target, '--no-report']);
  };

  async function refused(model: ModelName, weights: TensorMap): Promise<string> {
    errors.length = 0;
    const target = join(dir, 'untouched');
    expect(await diffOf(model, weights, target)).toBe(2);
    expect(existsSync(target), 'nothing may be written').toBe(false);
    expect(errors).toHaveLength(1);
    expect(errors[0].split('\n')).toHaveLength(1);
    return errors[0];
  }

  it('may be an ordinary state_dict, with counters beside batch norm', async () => {
    const dict = stateDict(build('vgg16bn'), drawn('vgg16bn'), 7);
    expect(dict.get('features.1.num_batches_tracked')?.dtype).toBe('int64');
    expect(await diffOf('vgg16bn', dict)).toBe(0);
  });

  it('says which tensor differs, whatever counters are beside it', async () => {
    const dict = new Map(stateDict(build('vgg16bn'), drawn('vgg16bn'), 7));
    const norm = dict.get('features.4.weight')!;
    dict.set(
      'features.4.weight',
      tensor(
        'float32',
        norm.shape,
        Float32Array.from(toFloat64(norm), (v, i) => v + (i ? 0 : 1)),
      ),
    );
    expect(await diffOf('vgg16bn', dict)).toBe(1);
    expect(printed.join('')).toMatch(/✗ initial weights: .*features\.4\.weight/);
  });

  it('of another model are refused, names, shapes and dtypes, before anything runs', async () => {
    const own = drawn('vgg16');
    expect(await refused('vgg16', drawn('vgg16bn'))).toMatch(
      /lacks features\.\d+\.weight and \d+ more and holds features\.1\.weight and \d+ more, which/,
    );
    const prefixed = new Map([...own].map(([name, t]) => [`encoder.${name}`, t]));
    expect(await refused('vgg16', prefixed)).toMatch(
      /lacks features\.0\.weight and 31 more and holds encoder\.features\.0\.weight and 31 more/,
    );
    const { shape, data } = own.get('classifier.1.bias')!;
    const halved = tensor('float32', [shape[0] / 2], (data as Float32Array).slice(shape[0] / 2));
    expect(await refused('vgg16', new Map([...own, ['classifier.1.bias', halved]]))).toContain(
      "classifier.1.bias is [256], the model's [512]",
    );
    const wide = tensor('float64', shape, Float64Array.from(data as Float32Array));
    expect(await refused('vgg16', new Map([...own, ['classifier.1.bias', wide]]))).toContain(
      'classifier.1.bias is float64, not float32',
    );
  });
});

describe('a stage that the reference was recorded without', () => {
  const why = 'iteration 0: float32 took other decisions than float64';

  /** The reference of VGG16 with stage *loss* alone, as the recorder leaves *backward* out. */
  function withoutBackward(): string {
    const root = mkdtempSync(join(dir, 'copy-'));
    cpSync(join(fixturesDirectory, 'inputs'), join(root, 'inputs'), { recursive: true });
    const reference = join(root, 'reference', 'vgg16');
    cpSync(join(fixturesDirectory, 'reference', 'vgg16'), reference, { recursive: true });
    const path = join(reference, 'manifest.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    const { loss } = manifest.stages;
    writeFileSync(
      path,
      JSON.stringify({ ...manifest, stages: { loss }, left_out: { backward: why } }),
    );
    return reference;
  }

  it('is told in the terminal, in the summary and in every report', async () => {
    const [page, json, junit] = ['page', 'run.json', 'junit.xml'].map((name) => join(dir, name));
    const argv = ['diff', '--reference', withoutBackward(), '--out', out(), '--report', page];
    expect(await run([...argv, '--json', json, '--junit', junit])).toBe(0);
    expect(printed.join('')).toContain(`– backward not judged: left out of the reference, ${why}`);
    expect(printed.join('')).toContain('1 stage passed; not judged: vgg16 backward; logs in');
    expect(JSON.parse(readFileSync(json, 'utf8')).models[0].notJudged).toEqual({ backward: why });
    expect(readFileSync(join(page, 'diff.md'), 'utf8')).toContain('1 stage passed, 1 not judged');
    expect(readFileSync(join(page, 'diff.md'), 'utf8')).toContain(`- \`vgg16\` backward: ${why}`);
    const html = readFileSync(join(page, 'diff.html'), 'utf8');
    expect(html).toContain('<h2 id="not-judged">Not judged</h2>');
    expect(html).toContain(why);
    expect(readFileSync(junit, 'utf8')).toContain(`<skipped message="${why}"`);
  });

  it('is refused with the reason where it is asked for', async () => {
    const argv = ['diff', 'backward', '--reference', withoutBackward()];
    expect(await run([...argv, '--out', join(dir, 'never')])).toBe(2);
    expect(errors.join()).toContain(`left out when this was recorded, ${why}`);
    expect(existsSync(join(dir, 'never'))).toBe(false);
  });
});
