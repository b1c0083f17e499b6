import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { commandTest } from '../../src/cli/testdata/commandTest.ts';
import { readRecording } from '../../src/io/recording.ts';
import { writeSafetensors } from '../../src/io/safetensors/safetensors.ts';
import type { NameMap } from '../../src/port/nameMap.ts';
import type { Proposals } from '../../src/port/names/proposal.ts';
import { openReference } from '../../src/port/openReference.ts';
import { sizeOf } from '../../src/tensor/shape.ts';
import { type Tensor, tensor, toFloat64 } from '../../src/tensor/tensor.ts';
import { hasRecorderTorch } from '../support/pythons.ts';
import { recordingsOf } from '../support/recordings.ts';
import { foreign, foreignName } from './foreignPort.ts';

const script = fileURLToPath(new URL('networks.py', import.meta.url));

describe.skipIf(!hasRecorderTorch)('swa-align names (needs PyTorch 2.1)', () => {
  const { dir, printed, errors } = commandTest('names');
  let all: string;
  const [map, json, ours] = ['map.json', 'all.json', 'ours.safetensors'].map((f) => join(dir, f));
  beforeAll(async () => {
    all = await recordingsOf(script);
  });
  beforeEach(() => rmSync(map, { force: true }));

  const recorded = (file: string): Map<string, Tensor> =>
    new Map(readRecording(join(all, file)).tensors);
  const save = (tensors: ReadonlyMap<string, Tensor>): string => {
    writeFileSync(ours, writeSafetensors(tensors));
    return ours;
  };
  const command = async (name: string, network: string, ...flags: string[]): Promise<number> => {
    printed.length = 0;
    errors.length = 0;
    return run([name, ours, '--reference', join(all, network), ...flags]);
  };
  const propose = (network: string, ...flags: string[]): Promise<number> =>
    command('names', network, '--out', map, '--json', json, ...flags);
  const proposals = (): Proposals => JSON.parse(readFileSync(json, 'utf8'));
  const said = (): string => [...errors, ...printed].join('');

  describe.each(['resnet', 'mobilenet', 'vit', 'gpt', 'lstm'])('%s', (network) => {
    it('of a port with names and axes of its own: the judge passes it by the map', async () => {
      save(foreign(recorded(`${network}.npz`)));
      expect(await propose(network, '--partial'), said()).toBe(0);
      for (const { ours: name, probe } of proposals().proposals) {
        expect(name).toBe(foreignName(probe));
      }
      expect(proposals().unused).toEqual([]);
      expect(await command('judge', network, '--map', map, '--partial'), said()).toBe(0);
    });

    it('of all that there is, optimizer state too, sorted by name or without names at all', async () => {
      const reference = openReference(join(all, network));
      const wholes = reference.probes.filter(({ shape }) => sizeOf(shape) <= 16_384);
      const whole = new Map(wholes.map((probe) => [probe.name, reference.whole(probe)]));
      const sorted = [...foreign(whole)].sort(([a], [b]) => (a < b ? -1 : 1));
      const nameless = [...foreign(whole).values()].map((t, i): [string, Tensor] => [`t${i}`, t]);
      for (const tensors of [sorted, nameless]) {
        save(new Map(tensors));
        expect(await propose(network, '--partial', '--overwrite'), said()).toBe(0);
        expect(proposals().proposals).toHaveLength(whole.size);
        expect(await command('judge', network, '--map', map, '--partial'), said()).toBe(0);
      }
    });

    it('of a port with a mistake: all is named, and the judge finds the layer', async () => {
      save(foreign(recorded(`${network}.wrong.npz`)));
      expect(await propose(network, '--partial'), said()).toBe(0);
      for (const { ours: name, probe } of proposals().proposals) {
        expect(name).toBe(foreignName(probe));
      }
      expect(await command('judge', network, '--map', map, '--partial'), said()).toBe(1);
      const layer = readFileSync(join(all, `${network}.layer`), 'utf8');
      expect(said()).toMatch(/order in which they are computed:\n✗ .*\n {2}made by /);
      expect(said()).toContain(`made by ${layer}: `);
    });
  });

  it('one wrong tensor is named, told, and the only one that fails', async () => {
    const tensors = recorded('resnet.npz');
    const wrong = tensors.get('layers.1.bn2.output')!;
    const values = toFloat64(wrong).map((x, i) => (i % 3 === 0 ? 0 : x));
    tensors.set('layers.1.bn2.output', tensor('float32', wrong.shape, Float32Array.from(values)));
    save(foreign(tensors));
    expect(await propose('resnet', '--partial')).toBe(0);
    expect(said()).toMatch(
      /~ {2}iteration1\/Layers_2\/bn2\/out +layers\.1\.bn2\.output +NHWC +name and shape; values differ by 5\.\de-1: look here, axes NHWC → NCHW/,
    );
    expect(await command('judge', 'resnet', '--map', map, '--partial')).toBe(1);
    expect(said()).toMatch(/1 of 198 tensors does not align/);
    expect(said()).toContain('✗ layers.1.bn2.output');
  });

  it('names that are PyTorch’s need a map for their axes only', async () => {
    const tensors = foreign(recorded('mobilenet.npz'));
    const names = new Map([...recorded('mobilenet.npz').keys()].map((n) => [foreignName(n), n]));
    save(new Map([...tensors].map(([name, t]) => [names.get(name)!, t])));
    expect(await propose('mobilenet', '--partial')).toBe(0);
    const { names: entries } = JSON.parse(readFileSync(map, 'utf8')) as NameMap;
    for (const { ours: name, probe, layout } of entries) {
      expect(name).toBe(probe);
      expect(layout, name).toBeDefined();
    }
    expect(await command('judge', 'mobilenet', '--map', map, '--partial'), said()).toBe(0);
  });

  it('writes no map where none is needed', async () => {
    save(recorded('lstm.npz'));
    expect(await propose('lstm', '--partial')).toBe(0);
    expect(said()).toContain('every name is right already: no map is needed');
    expect(existsSync(map)).toBe(false);
  });

  it('fails where a probe has no proposal, and lists what is left over', async () => {
    const tensors = foreign(recorded('lstm.npz'));
    tensors.set('scratch', tensor('float32', [17], new Float32Array(17)));
    save(tensors);
    expect(await propose('lstm')).toBe(1);
    expect(said()).toMatch(/– \d+ probes without a tensor of ours: /);
    expect(said()).toContain('– recorded, and no probe as far as is seen: scratch');
    expect(existsSync(map)).toBe(true);
  });

  it('writes the map to standard output, what is for people to standard error', async () => {
    save(foreign(recorded('lstm.npz')));
    const written = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      vi.spyOn(process[stream], 'write').mockImplementation((chunk) => {
        written[stream] += typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk);
        return true;
      });
    }
    expect(await command('names', 'lstm', '--partial', '--out', '-')).toBe(0);
    expect(JSON.parse(written.stdout).format).toBe('swa-align-names/1');
    expect(written.stderr).toMatch(/62 tensors named/);
  });

  it('overwrites no map without being told, and ends bad input in one line', async () => {
    save(foreign(recorded('lstm.npz')));
    writeFileSync(map, 'edited');
    expect(await propose('lstm', '--partial')).toBe(2);
    expect(errors.join('')).toMatch(
      /map\.json: exists already; give another --out, or --overwrite$/,
    );
    expect(readFileSync(map, 'utf8')).toBe('edited');
    expect(await propose('lstm', '--partial', '--overwrite')).toBe(0);
    expect(readFileSync(map, 'utf8')).toContain('swa-align-names/1');

    rmSync(map);
    expect(await propose('nowhere')).toBe(2);
    expect(errors.join('')).toContain('there is no such reference');
    writeFileSync(ours, 'no recording');
    expect(await propose('lstm')).toBe(2);
    expect(errors).toHaveLength(1);
    save(new Map([['x', tensor('float32', [17], new Float32Array(17))]]));
    expect(await propose('lstm')).toBe(1);
    expect(said()).toContain('0 tensors named');
    expect(existsSync(map)).toBe(false);
  });
});
