/** Flags that name what a command writes. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, type Option } from 'commander';
import { beforeAll, describe, expect, it } from 'vitest';
import { readNpz, writeNpz } from '../../io/numpy/npz.ts';
import { tensor } from '../../tensor/tensor.ts';
import { openClaims } from '../claims.ts';
import { commands } from '../commands/index.ts';
import { addCommands, run } from '../run.ts';
import {
  narrowCommand,
  ourCommand,
  runProcess,
  shell,
  shellOf,
} from '../testdata/commandProcess.ts';
import { commandTest } from '../testdata/commandTest.ts';
import { isOutput } from './outputFlags.ts';

const { dir, errors } = commandTest('output-flags');

beforeAll(() => {
  const vector = tensor('float32', [2], Float32Array.of(1, 2));
  writeFileSync(join(dir, 'a.npz'), writeNpz(new Map([['a', vector]])));
});

describe('every flag of every command', () => {
  const program = new Command();
  beforeAll(() => {
    const context = {
      print: () => {},
      printWhole: () => {},
      columns: Infinity,
      fail: () => {},
      claims: openClaims(),
    };
    return addCommands(program, context, Object.keys(commands));
  });
  const all = (command: Command): [string, Option][] => [
    ...command.options.map((option): [string, Option] => [command.name(), option]),
    ...command.commands.flatMap(all),
  ];
  it('that names a file or directory says whether it is written', () => {
    const paths = all(program).filter(([, { flags }]) => /[<[](file|dir)[>\]]/.test(flags));
    const inputs = paths.filter(([, option]) => !isOutput(option));
    expect([...new Set(inputs.map(([, { long }]) => long))].sort()).toEqual([
      '--checkpoint',
      '--data-path',
      '--libtensorflow',
      '--map',
      '--mpi-library',
      '--ort-library',
      '--reference',
      '--resume',
      '--run',
      '--tolerances',
      '--weights',
    ]);
    expect(paths.length - inputs.length).toBeGreaterThan(9);
  });
});

/** What a command sends to standard output, and its exit code; people read the rest elsewhere. */
async function pipedFrom(command: readonly string[]) {
  const { code, stdout, stderr } = await runProcess(command);
  return { code, stdout, people: stderr };
}
const piped = (...words: string[]) => pipedFrom([...ourCommand, ...words]);

const a = () => join(dir, 'a.npz');

describe('`-` is standard output, and what is for people goes to standard error', () => {
  it.each(['-', '/dev/stdout'])('compare --log %s', async (log) => {
    if (log !== '-' && !existsSync(log)) return;
    const { code, stdout, people } = await piped('compare', a(), a(), '--log', log);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.every((line) => / root INFO: /.test(line))).toBe(true);
    expect(lines.at(-1)).toMatch(/diff check passed$/);
    expect(people).toContain('1 tensor aligned with B');
  });

  it('diff --json - and --junit -', async () => {
    const loss = ['diff', 'loss', '--model', 'vgg16', '--out', join(dir, 'diff')];
    const json = await piped(...loss, '--json', '-', '--no-report');
    expect(JSON.parse(json.stdout).passed).toBe(true);
    expect(json.people).toContain('1 stage passed; logs in ');
    expect((await piped(...loss, '--junit', '-')).stdout).toMatch(/^<\?xml .*<\/testsuites>\n$/s);
  });

  it('train --log-steps -, then eval --logits - and export --out - of it', async () => {
    const run = join(dir, 'run');
    const flags = '--dataset synthetic --model vgg16bn --batch-size 2 --steps 2 --log-steps -';
    const narrow = (...words: string[]) => [...narrowCommand(), ...words];
    const trained = await pipedFrom(narrow('train', ...flags.split(' '), '--dir', run));
    expect(trained.stdout).toMatch(/^step,lr,loss\n0,0\.05,\S+\n1,0\.05,\S+\n$/);
    expect(trained.people).toContain('stopped after 2 steps');

    const weights = join(run, 'vgg16bn.safetensors');
    const of = ['--checkpoint', weights, '--model', 'VGG16BN', '--dataset', 'synthetic'];
    const exported = join(dir, 'new', 'dir', 'weights.npz');
    await pipedFrom(narrow('export', ...of, '--out', exported));
    // Bytes are no text: through a pipe into a file.
    const through = async (out: string, ...words: string[]): Promise<Buffer> => {
      const { code, stderr } = await runProcess(shellOf(`"$@" | cat > '${out}'`, narrow(...words)));
      expect(code, stderr).toBe(0);
      return readFileSync(out);
    };
    const piece = join(dir, 'piped');
    const logits = await through(piece, 'eval', ...of, '--logits', '-');
    expect(readNpz(logits, piece).get('logits')?.shape).toEqual([30, 10]);
    const all = await through(piece, 'export', ...of, '--out', '-', '--format', 'npz');
    expect(all.equals(readFileSync(exported))).toBe(true);
    expect(readNpz(all, piece).size).toBeGreaterThan(60);
  });

  it('batches --out -, report --out - and bench --json -', async () => {
    const batch = '--dataset synthetic --batch-size 2 --model VGG16 --out -';
    const batches = await piped('batches', ...batch.split(' '));
    expect([batches.code, batches.stdout.slice(0, 2)]).toEqual([0, 'PK']);
    expect(batches.people).toContain('1 step of 2 images in standard output');

    const recorded = 'reports/recorded/cifar10-subset/ours';
    const report = await piped('report', recorded, '--out', '-');
    expect(report.stdout).toMatch(/^<svg .*<\/svg>\n?$/s);
    expect(report.people).toContain('| run | by |');

    const flags = '--narrow 16 --batch-size 2 --runs 1 --warmup 0 --json -'.split(' ');
    const bench = await piped('bench', ...flags);
    expect(JSON.parse(bench.stdout).timings).toHaveLength(1);
    expect(bench.people).toContain('| 2 ');
  });

  it('is one file: a second one is refused, and so is a directory', async () => {
    expect(await run(['diff', '--json', '-', '--junit', '-'])).toBe(2);
    expect(await run(['diff', '--out', '-'])).toBe(2);
    expect(await run(['diff', '--out', a()])).toBe(2);
    expect(await run(['diff', '--json', dir])).toBe(2);
    expect(errors).toEqual([
      'swa-align: --json and --junit cannot both be standard output; name a file for one of them',
      'swa-align: -: is standard output; --out names a directory',
      `swa-align: ${a()}: exists and is not a directory; --out names a directory`,
      `swa-align: ${dir}: is a directory; --json names a file`,
    ]);
  });
});

describe.skipIf(process.platform === 'win32')('a file behind standard output (POSIX)', () => {
  it('is not replaced under it', async () => {
    const out = join(dir, 'both.log');
    const words = ['compare', a(), a(), '--log', out];
    const { code, stderr } = await runProcess(shell(`exec "$@" > '${out}'`, ...words));
    expect(code).toBe(0);
    expect(readFileSync(out, 'utf8')).toMatch(/diff check passed\n$/);
    expect(stderr).toContain('1 tensor aligned with B');
  });

  it('a device takes what it is given', async () => {
    const { code, stdout, people } = await piped('compare', a(), a(), '--log', '/dev/null');
    expect([code, people]).toEqual([0, '']);
    expect(stdout).toContain('1 tensor aligned with B');
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    // eval wants a name that ends in .npz where there is a name.
    expect(await run(['eval', '--checkpoint', 'none', '--logits', '/dev/null'])).toBe(2);
    expect(errors).toEqual([expect.stringContaining('none: ')]);
  });
});
