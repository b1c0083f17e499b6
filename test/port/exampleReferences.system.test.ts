import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openReference } from '../../src/port/openReference.ts';
import type { PortReference } from '../../src/port/portReference.ts';
import { hasRecorderTorch } from '../support/pythons.ts';

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/** What a reference is apart from PyTorch's rounding and its words for layers, which change with its version. */
const shapeOf = ({ manifest, probes }: PortReference) => ({
  model: manifest.model,
  leftOut: manifest.left_out,
  probes: probes.map(({ name, kind, shape, layer, from }) => ({ name, kind, shape, layer, from })),
});

/** Those that are judged against a reference; the others are trained models. */
const recorded = readdirSync(path('examples')).filter((name) =>
  existsSync(path(`examples/${name}/record.py`)),
);

describe.skipIf(!hasRecorderTorch)('the references of the examples (need PyTorch 2.1)', () => {
  it.each(recorded)('%s: what its record.py writes', (name) => {
    const example = path(`examples/${name}`);
    const dir = mkdtempSync(join(tmpdir(), 'swa-align-example-'));
    try {
      copyFileSync(join(example, 'record.py'), join(dir, 'record.py'));
      copyFileSync(path('fixtures/recorder.py'), join(dir, 'recorder.py'));
      const made = spawnSync('python3', ['record.py'], { cwd: dir, encoding: 'utf8' });
      expect(made.status, made.stderr).toBe(0);
      const now = openReference(join(dir, 'ref'));
      const committed = openReference(join(example, 'ref'));
      expect(shapeOf(committed)).toEqual(shapeOf(now));
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
