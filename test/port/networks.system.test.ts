import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { isGiven } from '../../src/align/reference/probe.ts';
import { readRecording } from '../../src/io/recording.ts';
import { judge } from '../../src/port/judgeWithCauses.ts';
import { Recorder } from '../../src/port/nodeRecorder.ts';
import { openReference } from '../../src/port/openReference.ts';
import { toFloat64 } from '../../src/tensor/tensor.ts';
import '../../src/vitest.ts';
import { hasRecorderTorch } from '../support/pythons.ts';
import { recordingsOf } from '../support/recordings.ts';

const script = fileURLToPath(new URL('networks.py', import.meta.url));

/** What is said of the mistake that is planted in each. */
const causes: Readonly<Record<string, RegExp>> = {
  resnet: /^fits epsilon 1\.0e-3, the reference used 1\.0e-5$/,
  mobilenet: /^1\.01\d* × the reference's$/,
  vit: /^GELU by tanh is computed, the reference's is GELU by erf$/,
  gpt: /^fits epsilon 1\.0e-3, the reference used 1\.0e-5$/,
  lstm: /^1\.01\d* × the reference's$/,
};

describe.skipIf(!hasRecorderTorch)('networks of five kinds (needs PyTorch 2.1)', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await recordingsOf(script);
  });

  const reference = (name: string) => openReference(join(dir, name));
  const recording = (file: string) => readRecording(join(dir, file)).tensors;

  describe.each(['resnet', 'mobilenet', 'vit', 'gpt', 'lstm'])('%s', (name) => {
    it("passes as PyTorch's own second run, with another number of threads and no recorder", () => {
      const { passed, message, verdicts } = judge(recording(`${name}.npz`), reference(name), {
        partial: true,
      });
      expect(passed, message).toBe(true);
      expect(verdicts.length).toBeGreaterThan(50);
    });

    it('fails at the layer in which a mistake is planted, and all else inherits it', () => {
      const layer = readFileSync(join(dir, `${name}.layer`), 'utf8');
      const { diverges, verdicts, message } = judge(
        recording(`${name}.wrong.npz`),
        reference(name),
        { partial: true },
      );
      expect(diverges[0].layer).toBe(layer);
      expect(diverges[0].cause?.says).toMatch(causes[name]);
      expect(message).toContain(`made by ${layer}: `);
      const shown = [...message.matchAll(/^✗ ([^\s:]+)/gm)].map(([, named]) => named);
      // Failures of one cause are told once.
      const told = diverges.filter(
        ({ cause }, k) => !cause || diverges.findIndex((v) => v.cause?.says === cause.says) === k,
      );
      expect(shown).toEqual(told.slice(0, 3).map((v) => v.name));
      const wrong = verdicts.filter(({ inherits }) => inherits !== undefined);
      expect(wrong.length).toBeGreaterThan(10);
    });

    it('names every probe once, after all that it is computed from', () => {
      const { probes } = reference(name);
      const before = new Set<string>();
      for (const { name: own, from = [] } of probes) {
        for (const source of from) expect(before, own).toContain(source);
        expect(before).not.toContain(own);
        before.add(own);
      }
    });
  });

  it('a port that computes nothing but hands on what PyTorch recorded lacks the samples', () => {
    const lstm = reference('lstm');
    const recorder = new Recorder(lstm);
    for (const found of lstm.probes.filter((p) => !isGiven(p))) {
      recorder.add(found.name, lstm.whole(found));
    }
    expect(recorder).toAlignWith(lstm);
    const [first] = lstm.probes.filter((p) => !isGiven(p));
    expect(() => recorder.add(first.name, lstm.whole(first))).toThrow(/recorded already/);
    expect(() => recorder.add('lstm.outptu', [1])).toThrow(/nearest are lstm.output/);
  });

  it('one tensor is held against one probe, in the layout it has', () => {
    const resnet = reference('resnet');
    const ours = recording('resnet.npz');
    const stem = ours.get('stem.output')!;
    expect(stem).toAlignWith(resnet.probe('stem.output'));
    const [n, c, h, w] = stem.shape;
    const values = toFloat64(stem);
    const nhwc = Float32Array.from(values, (_, i) => {
      const [at, channel] = [Math.floor(i / c), i % c];
      const [image, place] = [Math.floor(at / (h * w)), at % (h * w)];
      return values[(image * c + channel) * h * w + place];
    });
    const channelsLast = { data: nhwc, shape: [n, h, w, c] };
    expect(channelsLast).toAlignWith(resnet.probe('stem.output'), { layout: 'NHWC' });
    expect(() => expect(channelsLast).toAlignWith(resnet.probe('stem.output'))).toThrow(
      /the axes in another order/,
    );
    const wrong = recording('resnet.wrong.npz').get('layers.1.bn1.output')!;
    expect(() => expect(wrong).toAlignWith(resnet.probe('layers.1.bn1.output'))).toThrow(
      /made by layers\.1\.bn1: BatchNorm2d[\s\S]*worst at/,
    );
  });

  it('inputs and weights are handed out in the layout that is asked for', () => {
    const resnet = reference('resnet');
    const images = resnet.input('input.0');
    const nhwc = resnet.input('input.0', { layout: 'NHWC' });
    expect(images.shape).toEqual([3, 3, 12, 12]);
    expect(nhwc.shape).toEqual([3, 12, 12, 3]);
    const at = ([n, c, h, w]: number[]) => nhwc.data[((n * 12 + h) * 12 + w) * 3 + c];
    expect(images.data[((1 * 3 + 2) * 12 + 5) * 12 + 7]).toBe(at([1, 2, 5, 7]));
    expect(resnet.weight('stem.weight', { layout: 'HWIO' }).shape).toEqual([3, 3, 3, 8]);
    expect(resnet.weight('fc.weight', { layout: 'in,out' }).shape).toEqual([16, 10]);
    expect(resnet.input('input.1', { dtype: 'int32' }).data).toBeInstanceOf(Int32Array);
    expect(resnet.weights().get('stem.weight')!.shape).toEqual([8, 3, 3, 3]);
    expect(() => resnet.input('stem.output')).toThrow(/is computed by the port/);
  });
});
