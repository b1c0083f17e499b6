/** Where the ranks of `diff ddp` run: in processes of an MPI, or in one. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mpis } from '../../test/support/mpis.ts';
import { ourCommand, runProcess } from './testdata/commandProcess.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'swa-align-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Told {
  readonly code: number | null;
  readonly stderr: string;
  readonly notes: readonly string[];
  readonly checked: number;
}

/** Runs the stage with no launcher but `mpirun`, where one is given. */
async function diffDdp(name: string, mpirun?: string): Promise<Told> {
  const [bin, out, json] = [`${name}-bin`, name, `${name}.json`].map((part) => join(dir, part));
  mkdirSync(bin);
  // By its own path: MPICH's looks for its helpers beside itself.
  const script = `#!/bin/sh\nexec "${mpirun}" "$@"\n`;
  if (mpirun !== undefined) writeFileSync(join(bin, 'mpirun'), script, { mode: 0o755 });
  // A launcher needs a shell and tools beside it, but no launcher of another family.
  const rest = (process.env.PATH ?? '').split(delimiter);
  const PATH = mpirun === undefined ? bin : [bin, ...rest].join(delimiter);
  const flags = ['--model', 'vgg16bn', '--threads', '1', '--no-report', '--out', out];
  const words = ['diff', 'ddp', ...flags, '--json', json];
  const { code, stderr } = await runProcess([...ourCommand, ...words], { env: { PATH } });
  const [{ stages }] = JSON.parse(readFileSync(json, 'utf8')).models;
  const [{ notes, verdicts }] = stages;
  return { code, stderr, notes, checked: verdicts.length };
}

const counts = [2, 3, 4];

test('without an MPI all ranks share one process, and that is said', async () => {
  const { code, notes, stderr, checked } = await diffDdp('none');
  expect(code, stderr).toBe(0);
  expect(notes).toEqual(counts.map((n) => `${n} ranks in one process: no MPI is installed`));
  expect(checked).toBeGreaterThan(500);
}, 180_000);

test.skipIf(process.platform === 'win32')(
  'where a launcher starts nothing they do so too, and why is said',
  async () => {
    const broken = join(dir, 'broken');
    writeFileSync(
      broken,
      '#!/bin/sh\n[ "$1" = --version ] && echo "mpirun (Open MPI) 0.0" && exit\necho "no slots" >&2\nexit 1\n',
    );
    chmodSync(broken, 0o755);
    const { code, notes, stderr } = await diffDdp('fails', broken);
    expect(code, stderr).toBe(0);
    expect(notes).toEqual(
      counts.map((n) => `${n} ranks in one process: mpirun starts none: no slots`),
    );
  },
  180_000,
);

describe.skipIf(mpis.length === 0 || process.platform !== 'linux')(
  'processes that an MPI starts (needs koffi and Open MPI or MPICH, on Linux)',
  () => {
    test.each(mpis)(
      'each rank has one of its own, by $name',
      async ({ name, start }) => {
        const [launcher] = start(2);
        const { stdout } = await runProcess(['sh', '-c', `command -v ${launcher}`]);
        const { code, notes, stderr } = await diffDdp(name.replace(' ', ''), stdout.trim());
        expect(code, stderr).toBe(0);
        expect(notes).toEqual(
          counts.map((n) =>
            expect.stringMatching(
              new RegExp(`^${n} ranks in a process each, over ${name} v?[\\d.]+`),
            ),
          ),
        );
      },
      300_000,
    );
  },
);
