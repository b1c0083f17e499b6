/** Where a file goes that is written: what a shell's `>` would do, and old data that outlive every failure. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../errors.ts';
import { writeFileAtomic } from './atomicFile.ts';
import { openGrowingFile } from './growingFile.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'swa-align-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const bytes = (text: string) => new TextEncoder().encode(text);
const at = (name: string) => join(directory, name);
const textOf = (name: string) => readFileSync(at(name), 'utf8');
const modeOf = (name: string) => statSync(at(name)).mode & 0o7777;
const broken = function* () {
  yield bytes('half');
  throw new InputError('broken source');
};
/** Nothing but these names: no temporary file. */
const expectNames = (...names: string[]) => expect(readdirSync(directory).sort()).toEqual(names);

const posix = process.platform !== 'win32';
const isRoot = process.getuid?.() === 0;
/** Runs as somebody who may not do everything; root becomes `nobody` meanwhile. */
function asUser<T>(act: () => T): T {
  if (!isRoot) return act();
  process.setegid!(65534);
  process.seteuid!(65534);
  try {
    return act();
  } finally {
    process.seteuid!(0);
    process.setegid!(0);
  }
}

describe('writeFileAtomic', () => {
  it('writes bytes or chunks, over an old file too', () => {
    writeFileAtomic(at('a'), bytes('old'));
    writeFileAtomic(at('a'), [bytes('ne'), new Uint8Array(0), bytes('w')]);
    expect(textOf('a')).toBe('new');
    expectNames('a');
  });

  it('keeps the old file and leaves nothing behind when the chunks fail half way', () => {
    writeFileAtomic(at('a'), bytes('old'));
    expect(() => writeFileAtomic(at('a'), broken())).toThrow('broken source');
    expect(textOf('a')).toBe('old');
    expectNames('a');
  });

  it('makes the directories of a new file', () => {
    writeFileAtomic(at('new/dir/a'), bytes('a'));
    expect(textOf('new/dir/a')).toBe('a');
    writeFileSync(at('file'), '');
    expect(() => writeFileAtomic(at('file/a'), bytes(''))).toThrow(InputError);
    expect(() => writeFileAtomic(at('file/a'), bytes(''))).toThrow('is not a directory');
  });

  it('says so when the name is a directory', () => {
    mkdirSync(at('dir'));
    expect(() => writeFileAtomic(at('dir'), bytes(''))).toThrow('is a directory, not a file');
    expectNames('dir');
  });
});

describe.skipIf(!posix)('over a file that is more than its name (POSIX)', () => {
  it('follows links, and a link to nothing', () => {
    mkdirSync(at('far'));
    mkdirSync(at('near'));
    writeFileSync(at('far/a'), 'old');
    symlinkSync('../far/a', at('near/second'));
    symlinkSync('second', at('near/first'));
    writeFileAtomic(at('near/first'), bytes('new'));
    expect(textOf('far/a')).toBe('new');
    expect([readlinkSync(at('near/first')), readlinkSync(at('near/second'))]).toEqual([
      'second',
      '../far/a',
    ]);
    symlinkSync('../far/b', at('near/nothing'));
    symlinkSync('near', at('by'));
    writeFileAtomic(at('by/nothing'), bytes('made'));
    expect(textOf('far/b')).toBe('made');
    expect(lstatSync(at('near/nothing')).isSymbolicLink()).toBe(true);
    expect(readdirSync(at('far'))).toEqual(['a', 'b']);
    expect(readdirSync(at('near'))).toEqual(['first', 'nothing', 'second']);
  });

  it('refuses links in a circle', () => {
    symlinkSync('b', at('a'));
    symlinkSync('a', at('b'));
    expect(() => writeFileAtomic(at('a'), bytes(''))).toThrow('too many symbolic links');
    expectNames('a', 'b');
  });

  it.each([0o600, 0o640, 0o755, 0o666])('keeps mode %o', (mode) => {
    writeFileSync(at('a'), 'old');
    chmodSync(at('a'), mode);
    writeFileAtomic(at('a'), bytes('new'));
    expect([textOf('a'), modeOf('a')]).toEqual(['new', mode]);
  });

  it.runIf(isRoot)('keeps the owner (as root)', () => {
    writeFileSync(at('a'), 'old');
    chownSync(at('a'), 1234, 1235);
    const { ino } = statSync(at('a'));
    writeFileAtomic(at('a'), bytes('new'));
    expect(statSync(at('a'))).toMatchObject({ uid: 1234, gid: 1235 });
    expect(statSync(at('a')).ino).not.toBe(ino);
  });

  it.runIf(isRoot)('keeps the owner (as another user, who cannot give files away)', () => {
    chmodSync(directory, 0o777);
    writeFileSync(at('a'), 'old');
    chmodSync(at('a'), 0o666);
    asUser(() => writeFileAtomic(at('a'), bytes('new')));
    expect(textOf('a')).toBe('new');
    expect(statSync(at('a')).uid).toBe(0);
    expectNames('a');
  });

  it('writes a file in a directory that takes no other', () => {
    writeFileSync(at('a'), 'old');
    chmodSync(at('a'), 0o666);
    chmodSync(directory, 0o555);
    try {
      asUser(() => writeFileAtomic(at('a'), bytes('new')));
      expect(textOf('a')).toBe('new');
      expect(() => asUser(() => writeFileAtomic(at('b'), bytes('')))).toThrow('permission denied');
    } finally {
      chmodSync(directory, 0o755);
    }
    expectNames('a');
  });

  it('does not replace a file that may not be written', () => {
    chmodSync(directory, 0o777);
    writeFileSync(at('a'), 'old');
    chmodSync(at('a'), 0o444);
    expect(() => asUser(() => writeFileAtomic(at('a'), bytes('new')))).toThrow('permission denied');
    expect(textOf('a')).toBe('old');
    expectNames('a');
  });

  it('writes all names of a file that has several, whatever was longer', () => {
    const size = fc.integer({ min: 0, max: 3 << 20 });
    fc.assert(
      fc.property(size, size, (before, after) => {
        rmSync(at('b'), { force: true });
        writeFileSync(at('a'), Buffer.alloc(before, 'o'));
        linkSync(at('a'), at('b'));
        const whole = Buffer.alloc(after, 'new ');
        writeFileAtomic(at('a'), whole);
        expect(statSync(at('a')).ino).toBe(statSync(at('b')).ino);
        expect(readFileSync(at('b')).equals(whole)).toBe(true);
        expectNames('a', 'b');
      }),
      { numRuns: 20 },
    );
  });

  it('leaves them as they were after a failure, also amid the copy', () => {
    writeFileSync(at('a'), 'old');
    linkSync(at('a'), at('b'));
    expect(() => writeFileAtomic(at('a'), broken())).toThrow('broken source');
    expect(textOf('b')).toBe('old');
    // The disk takes the temporary file and a part of the copy.
    const script = `
      import fs from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      const write = fs.writeSync;
      let copied = 0;
      fs.writeSync = (...args) => {
        if (fs.fstatSync(args[0]).nlink === 2 && copied++ > 0)
          throw Object.assign(new Error('full'), { code: 'ENOSPC' });
        return write(...args);
      };
      syncBuiltinESMExports();
      const { writeFileAtomic } = await import('./src/io/output/atomicFile.ts');
      writeFileAtomic(process.argv[1], Buffer.alloc(2 << 20, 'n'));`;
    const flags = ['--import', 'tsx', '--input-type=module', '--eval', script, at('a')];
    const { status, stderr } = spawnSync(process.execPath, flags, {
      cwd: fileURLToPath(new URL('../../..', import.meta.url)),
      encoding: 'utf8',
    });
    expect(status).not.toBe(0);
    expect(stderr).toContain('no space left on the disk');
    expect(textOf('b')).toBe('old');
    expectNames('a', 'b');
  });
});

describe.skipIf(!posix)('into what is not a regular file (POSIX)', () => {
  const read = (name: string, ...command: string[]) => {
    execFileSync('mkfifo', [at(name)]);
    const [file, ...argv] = command;
    const child = spawn(file, [...argv, at(name)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += String(chunk);
    });
    return new Promise<string>((done) => child.on('close', () => done(text)));
  };

  it('a named pipe gets the bytes and stays', async () => {
    const got = read('pipe', 'cat');
    writeFileAtomic(at('pipe'), [bytes('ab'), bytes('c')]);
    expect(await got).toBe('abc');
    expect(lstatSync(at('pipe')).isFIFO()).toBe(true);
    expectNames('pipe');
  });

  it('a reader who has enough is no failure', async () => {
    const got = read('pipe', 'head', '-c', '3');
    writeFileAtomic(at('pipe'), Buffer.alloc(4 << 20, 'x'));
    expect(await got).toBe('xxx');
  });

  /** A device of our own: what `/dev` holds is not to be put at risk. */
  const device = (name: string, minor: string): boolean =>
    spawnSync('mknod', ['-m', '666', at(name), 'c', '1', minor]).status === 0 &&
    spawnSync('sh', ['-c', ': > "$1"', 'sh', at(name)]).status === 0;

  it('a device is written and stays; a full one says so', ({ skip }) => {
    skip(!device('null', '3') || !device('full', '7'), 'needs the right to make devices');
    chmodSync(directory, 0o755);
    asUser(() => writeFileAtomic(at('null'), bytes('gone')));
    symlinkSync('full', at('link'));
    expect(() => writeFileAtomic(at('link'), bytes('x'))).toThrow('no space left on the disk');
    expect(lstatSync(at('null')).isCharacterDevice()).toBe(true);
    expect(lstatSync(at('full')).isCharacterDevice()).toBe(true);
    expectNames('full', 'link', 'null');
  });

  it('a growing file follows a link, and keeps a pipe open', async () => {
    symlinkSync('log', at('link'));
    const log = openGrowingFile(at('link'), (earlier) => `${earlier}begun\n`);
    log.add('1\n');
    expect(textOf('log')).toBe('begun\n1\n');
    openGrowingFile(at('link'), (earlier) => earlier.replace('1\n', '')).add('2\n');
    expect(textOf('log')).toBe('begun\n2\n');
    const got = read('pipe', 'head', '-n', '3');
    const piped = openGrowingFile(at('pipe'), (earlier) => `begun${earlier}\n`);
    for (let line = 1; line < 5; line++) piped.add(`${line}\n`);
    expect(await got).toBe('begun\n1\n2\n');
    expect(existsSync(at('pipe'))).toBe(true);
    expect(() => piped.add('after\n')).not.toThrow();
  });
});
