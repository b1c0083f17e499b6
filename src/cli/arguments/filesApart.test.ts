import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeNpz } from '../../io/numpy/npz.ts';
import { tensor } from '../../tensor/tensor.ts';
import { run } from '../run.ts';
import { commandTest } from '../testdata/commandTest.ts';

const { dir, errors } = commandTest('files-apart');
const at = (name: string): string => join(dir, name);
const bytes = (): Buffer => readFileSync(at('a.npz'));

beforeAll(() => {
  const a = tensor('float32', [2], Float32Array.of(1, 2));
  writeFileSync(at('a.npz'), writeNpz(new Map([['a', a]])));
  writeFileSync(at('b.npz'), writeNpz(new Map([['a', a]])));
  symlinkSync(at('a.npz'), at('link'));
  linkSync(at('a.npz'), at('hard'));
  mkdirSync(at('folder'));
  symlinkSync(at('folder'), at('linked'));
});

const compare = (...flags: string[]) => run(['compare', at('a.npz'), at('b.npz'), ...flags]);

describe('a file that a command reads', () => {
  it.each(['a.npz', 'link', 'hard'])('is not written over, called %s', async (name) => {
    const before = bytes();
    expect(await compare('--log', at(name))).toBe(2);
    expect(errors).toEqual([
      `swa-align: ${at(name)}: is read by compare; --log would write over it; name another file for --log`,
    ]);
    expect(bytes().equals(before)).toBe(true);
  });

  it('is not written over where a flag names it', async () => {
    const [file, before] = [at('a.npz'), bytes()];
    expect(await run(['export', '--checkpoint', file, '--out', file])).toBe(2);
    expect(errors.join()).toContain(`${file}: is read by export; --out would write over it`);
    const names = ['names', file, '--reference', dir, '--out', file, '--overwrite'];
    expect(await run(names)).toBe(2);
    expect(errors.join()).toContain(`${file}: is read by names; --out would write over it`);
    expect(bytes().equals(before)).toBe(true);
  });
});

describe('two reports', () => {
  it.each([
    [['--json', 'x', '--log', 'x'], 'x: would be written by --json and by --log'],
    [['--reporter', 'junit=x', '--reporter', 'html=x'], 'x: would be written twice by --reporter'],
    [['--json', 'linked/x', '--log', 'folder/x'], 'folder/x: would be written by --json and by'],
    [['--json', 'linked/new/x', '--log', 'folder/new/x'], 'new/x: would be written by --json and'],
  ])('%j are not one file', async (flags, said) => {
    const paths = flags.map((word) =>
      word.replace(/^(?!--)(.*=)?(.*)$/, (_, form = '', name) => `${form}${at(name)}`),
    );
    expect(await compare(...paths)).toBe(2);
    expect(errors).toEqual([expect.stringContaining(said)]);
  });

  it('are two files, also of one folder', async () => {
    expect(await compare('--json', at('folder/x'), '--log', at('linked/y'))).toBe(0);
    expect(JSON.parse(readFileSync(at('folder/x'), 'utf8')).passed).toBe(true);
    expect(readFileSync(at('folder/y'), 'utf8')).toContain('diff check passed');
  });
});
