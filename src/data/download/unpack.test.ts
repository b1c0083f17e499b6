import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InputError } from '../../errors.ts';
import {
  type Member,
  noise,
  tarOf,
  tiny,
  tinyBytes,
  tinyFiles,
  tinyMembers,
} from './testdata/archives.ts';
import { unpack } from './unpack.ts';

let dir: string;
let into: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'unpack-'));
  into = join(dir, 'inner', 'into');
  mkdirSync(into, { recursive: true });
  file = join(dir, 'tiny.tar.gz');
});

afterEach(() => rmSync(dir, { recursive: true }));

const signal = new AbortController().signal;

async function unpackBytes(bytes: Uint8Array): Promise<void> {
  writeFileSync(file, bytes);
  await unpack(tiny, file, into, signal);
}

/** Everything below `dir` besides the archive; a symbolic link shows as its own name. */
const everything = (): string[] =>
  (readdirSync(dir, { recursive: true }) as string[])
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path !== 'tiny.tar.gz' && path !== 'inner' && path !== 'inner/into')
    .sort();

const ours = Object.keys(tinyFiles).map((name) => `inner/into/${name}`);

test('exactly the files of a data set, whatever else lies beside them', async () => {
  await unpackBytes(tinyBytes);
  expect(everything()).toEqual(ours);
  for (const [name, content] of Object.entries(tinyFiles)) {
    expect(readFileSync(join(into, name)).equals(content)).toBe(true);
  }
});

test('paths that begin with ./, and names in a pax header', async () => {
  const dotted = tinyMembers.map((member) => ({ ...member, path: `./${member.path}` }));
  const record = '30 path=tiny-bin/a.bin\n';
  const length = `${record.length} path=tiny-bin/a.bin\n`;
  expect(length).toHaveLength(record.length);
  const [folder, readme, a, ...rest] = dotted;
  const pax: Member = { path: 'PaxHeader/a', type: 'ExtendedHeader', content: length };
  await unpackBytes(gzipSync(tarOf([folder, readme, pax, { ...a, path: 'x' }, ...rest])));
  expect(everything()).toEqual(ours);
});

const folder = tinyMembers[0];
const files = tinyMembers.slice(2);
/** The archive with this member in place of, or before, the file of that name. */
const withMember = (member: Member, name = 'a.bin'): Uint8Array => {
  const others = files.filter(({ path }) => path !== `tiny-bin/${name}`);
  return gzipSync(tarOf([folder, member, ...others]));
};
const a = tinyFiles['a.bin'];

describe('nothing gets out of the target', () => {
  const hostile: readonly [string, Member, RegExp][] = [
    ['a path upwards', { path: '../a.bin', content: a }, /"\.\.\/a\.bin" is outside tiny-bin/],
    ['a path through the folder', { path: 'tiny-bin/../../x', content: a }, /is outside/],
    ['an absolute path', { path: '/tmp/tiny-bin/a.bin', content: a }, /is outside/],
    ['an absolute path that looks right', { path: '/tiny-bin/a.bin', content: a }, /is outside/],
    ['a drive', { path: 'C:\\tiny-bin\\a.bin', content: a }, /is outside/],
    ['another folder', { path: 'other/a.bin', content: a }, /is outside/],
    ['a folder upwards', { path: '../evil/', type: 'Directory' }, /is outside/],
    [
      'a symbolic link out',
      { path: 'tiny-bin/a.bin', type: 'SymbolicLink', linkpath: '../../outside' },
      /"tiny-bin\/a\.bin" is not a plain file \(SymbolicLink\)/,
    ],
    [
      'the folder as a symbolic link',
      { path: 'tiny-bin', type: 'SymbolicLink', linkpath: '/tmp' },
      /"tiny-bin" is not a plain file \(SymbolicLink\)/,
    ],
    [
      'a hard link',
      { path: 'tiny-bin/a.bin', type: 'Link', linkpath: 'tiny-bin/b.bin' },
      /is not a plain file \(Link\)/,
    ],
    ['a device', { path: 'tiny-bin/a.bin', type: 'CharacterDevice' }, /\(CharacterDevice\)/],
    ['a block device', { path: 'tiny-bin/a.bin', type: 'BlockDevice' }, /\(BlockDevice\)/],
    ['a pipe', { path: 'tiny-bin/extra', type: 'FIFO' }, /\(FIFO\)/],
    ['a sparse file', { path: 'tiny-bin/a.bin', type: 'SparseFile', content: a }, /\(SparseFile\)/],
  ];

  test.each(hostile)('%s', async (_, member, message) => {
    const running = unpackBytes(withMember(member));
    await expect(running).rejects.toThrow(InputError);
    await expect(running).rejects.toThrow(message);
    await expect(running).rejects.toThrow(/^[^\n]*tiny\.tar\.gz: [^\n]*$/);
    expect(everything().filter((path) => !ours.includes(path))).toEqual([]);
    expect(existsSync(join(dir, 'outside'))).toBe(false);
  });

  test('a folder in the place of a file', async () => {
    const running = unpackBytes(withMember({ path: 'tiny-bin/a.bin/', type: 'Directory' }));
    await expect(running).rejects.toThrow(/lacks a\.bin/);
    expect(everything()).not.toContain('inner/into/a.bin');
  });
});

describe('sizes', () => {
  test.each([
    ['an oversized member', { path: 'tiny-bin/a.bin', content: noise(200_000, 1) }, 'a.bin'],
    ['a short member', { path: 'tiny-bin/a.bin', content: a.subarray(3073) }, 'a.bin'],
    ['an empty member', { path: 'tiny-bin/a.bin' }, 'a.bin'],
    ['too many names', { path: 'tiny-bin/names.txt', content: noise(101, 1) }, 'names.txt'],
    ['no names', { path: 'tiny-bin/names.txt' }, 'names.txt'],
  ])('%s', async (_, member, name) => {
    await expect(unpackBytes(withMember(member, name))).rejects.toThrow(
      /member "tiny-bin\/[a-z.]+" has \d+ bytes, not/,
    );
    expect(everything()).not.toContain(`inner/into/${name}`);
  });

  test('a member twice', async () => {
    await expect(unpackBytes(gzipSync(tarOf([...tinyMembers, files[0]])))).rejects.toThrow(
      /"tiny-bin\/a\.bin" comes twice/,
    );
  });

  test('a member that is missing', async () => {
    await expect(unpackBytes(gzipSync(tarOf(files.slice(1))))).rejects.toThrow(/lacks a\.bin/);
  });
});

describe('damage', () => {
  const tar = tarOf(tinyMembers);
  const flipped = Uint8Array.from(tinyBytes);
  flipped[200_000] ^= 1;
  const badHeader = Uint8Array.from(tar);
  badHeader[1] ^= 1;

  test.each([
    ['a truncated gzip file', tinyBytes.subarray(0, 200_000), /unexpected end of file/],
    ['a gzip file without its last bytes', tinyBytes.subarray(0, -4), /unexpected end of file/],
    ['a flipped bit', flipped, /damaged archive \(/],
    ['no gzip file', Buffer.from('<html>sign in</html>'), /incorrect header check/],
    ['an empty file', new Uint8Array(), /damaged archive/],
    ['a truncated tar archive', gzipSync(tar.subarray(0, 250_000)), /Truncated input/],
    ['a header that does not add up', gzipSync(badHeader), /checksum failure/],
    ['no tar archive', gzipSync(noise(5000, 1)), /damaged archive/],
  ])('%s', async (_, bytes, message) => {
    const running = unpackBytes(bytes);
    await expect(running).rejects.toThrow(InputError);
    await expect(running).rejects.toThrow(message);
    expect(everything().filter((path) => !ours.includes(path))).toEqual([]);
  });

  test('an archive that is not there', async () => {
    await expect(unpack(tiny, join(dir, 'none'), into, signal)).rejects.toThrow(/no such file/);
  });

  test('a file that exists is never written over', async () => {
    writeFileSync(join(into, 'a.bin'), 'mine');
    await expect(unpackBytes(tinyBytes)).rejects.toThrow(InputError);
    expect(readFileSync(join(into, 'a.bin'), 'utf8')).toBe('mine');
  });
});
