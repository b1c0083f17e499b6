import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../src', import.meta.url));

/** From the bottom up: a folder may import from itself and from those before it. */
const layers = [
  'errors.ts',
  'words.ts',
  'shortNumber.ts',
  'version.ts',
  'fixtures.ts',
  'native',
  'tensor',
  'io',
  'torch',
  'ir',
  'autodiff',
  'nn',
  'optim',
  'program',
  'backends',
  'distributed',
  'data',
  'train',
  'landscape',
  'align',
  'diagnose',
  'report',
  'port',
  'bench',
  'cli',
  'types.ts',
  'index.ts',
  'browser.ts',
  'vitest.ts',
];

/** The same inside a layer; files beside these folders are for all of them. */
const within: Readonly<Record<string, readonly string[]>> = {
  train: ['settings', 'checkpoint', 'averaging', 'health', 'evaluation', 'loop'],
  align: [
    'measure',
    'reference',
    'judge',
    'probes',
    'runners',
    'branches',
    'stages',
    'trace',
    'sideBySide',
  ],
};

const sources = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('testdata'),
);

const layerOf = (file: string): string => relative(src, file).split(/[\\/]/)[0];

/** The files that each file imports, types too. */
const importsOf = new Map(
  sources.map((file) => {
    const text = readFileSync(join(src, file), 'utf8');
    const targets = [...text.matchAll(/from '(\.[^']+)'/g)].map(([, target]) =>
      relative(src, resolve(src, dirname(file), target)),
    );
    return [file, targets.filter((target) => sources.includes(target))] as const;
  }),
);

/** An import that is there when the program runs: types and `import(…)` are not. */
const loading = /^(?:import|export)\s(?!type\s)(?:[^;'"]*\sfrom\s+)?'([^']+)'/gm;

/** What an entry loads before anything is called: files of ours, and packages. */
function loadedBy(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set([entry]);
  const packages = new Set<string>();
  for (const file of files) {
    const text = readFileSync(join(src, file), 'utf8');
    for (const [, target] of text.matchAll(loading)) {
      if (!target.startsWith('.')) packages.add(target);
      else files.add(relative(src, resolve(src, dirname(file), target)));
    }
  }
  return { files, packages };
}

const isEngine = (name: string): boolean => /onnxruntime|tensorflow|webgpu/.test(name);

/** A way from a file back to itself, or undefined. */
function circleThrough(file: string): readonly string[] | undefined {
  const from = new Map<string, string>();
  const waiting = [file];
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    for (const next of importsOf.get(at) ?? []) {
      if (next === file) {
        const way = [next];
        for (let step: string | undefined = at; step !== undefined; step = from.get(step)) {
          way.unshift(step);
        }
        return way;
      }
      if (!from.has(next)) {
        from.set(next, at);
        waiting.push(next);
      }
    }
  }
  return undefined;
}

describe('imports', () => {
  it('finds the source files', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(new Set(sources.map((f) => f.split(/[\\/]/)[0]))).toEqual(
      new Set(layers.filter((layer) => sources.some((f) => f.split(/[\\/]/)[0] === layer))),
    );
  });

  it.each(sources)('%s imports downwards only', (file) => {
    const path = join(src, file);
    const own = layers.indexOf(layerOf(path));
    expect(own, `${file} lies in no known layer`).toBeGreaterThanOrEqual(0);
    for (const [, target] of readFileSync(path, 'utf8').matchAll(/from '(\.[^']+)'/g)) {
      const imported = layerOf(resolve(dirname(path), target));
      if (imported.startsWith('..')) continue;
      expect(layers.indexOf(imported), `${file} imports ${target}`).toBeLessThanOrEqual(own);
    }
  });

  it.each(Object.entries(within))('inside %s go downwards too', (layer, folders) => {
    const place = (file: string): number => {
      const [top, folder, inner] = file.split(/[\\/]/);
      return top === layer && inner !== undefined ? folders.indexOf(folder) : -1;
    };
    const inside = sources.filter((file) => file.split(/[\\/]/)[0] === layer);
    expect(
      new Set(inside.map((f) => f.split(/[\\/]/)).flatMap((p) => p.slice(1, -1).slice(0, 1))),
    ).toEqual(new Set(folders));
    for (const file of inside.filter((f) => place(f) >= 0)) {
      for (const target of importsOf.get(file) ?? []) {
        expect(place(target), `${file} imports ${target}`).toBeLessThanOrEqual(place(file));
      }
    }
  });

  it('let the judge know neither what runs nor who reports', () => {
    for (const file of sources.filter((f) => /^align[\\/](judge|measure)[\\/]/.test(f))) {
      for (const target of importsOf.get(file) ?? []) {
        expect(target, file).not.toMatch(/^(backends|program|train|report|cli|nn)[\\/](?!models)/);
      }
    }
  });

  it('never go in a circle', () => {
    expect(sources.map(circleThrough).filter((circle) => circle !== undefined)).toEqual([]);
  });

  it.each(['index.ts', 'browser.ts', 'vitest.ts'])('%s loads no engine', (entry) => {
    const { files, packages } = loadedBy(entry);
    expect(files.size).toBeGreaterThan(20);
    expect(packages).toContain('valibot');
    expect([...packages].filter(isEngine)).toEqual([]);
    expect([...files].filter((file) => /^(backends|nn|program|train)[\\/]/.test(file))).toEqual([]);
  });

  it('find the engine of a file that loads one', () => {
    const { packages } = loadedBy(join('backends', 'ort', 'cpu', 'ortBackend.ts'));
    expect([...packages].filter(isEngine)).toEqual(['onnxruntime-node']);
  });

  it('keeps training and alignment away from any particular backend', () => {
    for (const file of sources.filter((f) => /^(train|align)[\\/]/.test(f))) {
      const text = readFileSync(join(src, file), 'utf8');
      expect(text, file).not.toMatch(/backends\/(ort|oracle|tfjs)\//);
    }
  });
});
