import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError, UsageError } from '../../errors.ts';
import { writeDirectoryAtomic } from './directory.ts';

let top = '';
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'swa-align-'));
});
afterEach(() => rmSync(top, { recursive: true }));

const files = (texts: Readonly<Record<string, string>>) =>
  new Map(Object.entries(texts).map(([name, text]) => [name, new TextEncoder().encode(text)]));
const some = files({ 'a.txt': 'a', 'in/b.txt': 'b' });

/** All files below a directory, by their contents. */
const found = (dir: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path.slice(dir.length + 1).replaceAll('\\', '/'), readFileSync(path, 'utf8')])
      .sort(),
  );

describe('writeDirectoryAtomic', () => {
  it('makes the directory, and those above it', () => {
    const dir = join(top, 'new', 'dir');
    expect(writeDirectoryAtomic(dir, some)).toBe(true);
    expect(found(dir)).toEqual({ 'a.txt': 'a', 'in/b.txt': 'b' });
    expect(readdirSync(join(top, 'new'))).toEqual(['dir']);
  });

  it('takes an empty directory, also behind a link', () => {
    mkdirSync(join(top, 'empty'));
    symlinkSync('empty', join(top, 'link'));
    expect(writeDirectoryAtomic(join(top, 'link'), some)).toBe(true);
    expect(found(join(top, 'empty'))).toEqual({ 'a.txt': 'a', 'in/b.txt': 'b' });
    expect(readdirSync(top).sort()).toEqual(['empty', 'link']);
  });

  it('leaves what is the same already', () => {
    const dir = join(top, 'dir');
    writeDirectoryAtomic(dir, some);
    expect(writeDirectoryAtomic(dir, some)).toBe(false);
    expect(found(top)).toEqual({ 'dir/a.txt': 'a', 'dir/in/b.txt': 'b' });
  });

  it('refuses a directory that holds anything else, and leaves it alone', () => {
    const text = fc.string({ minLength: 1, maxLength: 4 });
    const name = fc.constantFrom('a.txt', 'in/b.txt', 'c.txt');
    fc.assert(
      fc.property(fc.dictionary(name, text, { minKeys: 1 }), (texts) => {
        fc.pre(texts['a.txt'] !== 'a' || texts['in/b.txt'] !== 'b' || 'c.txt' in texts);
        const dir = join(top, 'dir');
        for (const [path, content] of Object.entries(texts)) {
          mkdirSync(join(dir, 'in'), { recursive: true });
          writeFileSync(join(dir, path), content);
        }
        const before = found(top);
        expect(() => writeDirectoryAtomic(dir, some)).toThrow(UsageError);
        expect(found(top)).toEqual(before);
        rmSync(dir, { recursive: true });
      }),
    );
  });

  it('leaves nothing behind when it fails half way', () => {
    const impossible = files({ a: 'a', 'a/b': 'a file cannot be a directory' });
    expect(() => writeDirectoryAtomic(join(top, 'dir'), impossible)).toThrow(InputError);
    expect(readdirSync(top)).toEqual([]);
    mkdirSync(join(top, 'empty'));
    expect(() => writeDirectoryAtomic(join(top, 'empty'), impossible)).toThrow(InputError);
    expect(readdirSync(top)).toEqual(['empty']);
  });

  it('says so when the name is a file', () => {
    writeFileSync(join(top, 'file'), 'mine');
    expect(() => writeDirectoryAtomic(join(top, 'file'), some)).toThrow(
      'exists and is not a directory',
    );
    expect(readFileSync(join(top, 'file'), 'utf8')).toBe('mine');
  });
});
