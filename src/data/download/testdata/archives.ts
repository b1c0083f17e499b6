import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Header } from 'tar';
import type { CifarLayout } from '../../cifar.ts';
import type { CifarArchive } from '../../cifarArchives.ts';

/** A member of an archive as a test wishes it; a header may lie about anything. */
export interface Member {
  readonly path: string;
  readonly type?: ConstructorParameters<typeof Header>[0] extends infer H
    ? H extends { type?: infer T }
      ? T
      : never
    : never;
  readonly content?: Uint8Array | string;
  readonly linkpath?: string;
}

const blocks = (content: Uint8Array): Buffer =>
  Buffer.concat([content, Buffer.alloc((512 - (content.byteLength % 512)) % 512)]);

/** An uncompressed tar archive. */
export function tarOf(members: readonly Member[]): Buffer {
  const parts = members.map(({ path, type = 'File', content = '', linkpath }) => {
    const bytes = Buffer.from(content);
    const header = new Header({
      path,
      type,
      mode: 0o644,
      size: bytes.byteLength,
      mtime: new Date(0),
      ...(linkpath !== undefined && { linkpath }),
    });
    header.encode();
    return Buffer.concat([header.block!, blocks(bytes)]);
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** Bytes that look random, the same every time, and do not compress. */
export function noise(length: number, seed: number): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i * 64 < length; i++) {
    parts.push(createHash('sha512').update(`${seed} ${i}`).digest());
  }
  return Buffer.concat(parts).subarray(0, length);
}

export const md5Of = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

const recordBytes = 3073;
const layout: CifarLayout = {
  folder: 'tiny-bin',
  files: { train: ['a.bin', 'b.bin'], test: ['c.bin'] },
  labelBytes: 1,
  labelAt: 0,
  classes: ['cat', 'dog'],
};

/** Records of noise, their labels 0 and 1 in turn. */
function records(count: number, seed: number): Buffer {
  const bytes = Buffer.from(noise(count * recordBytes, seed));
  for (let r = 0; r < count; r++) bytes[r * recordBytes] = r % 2;
  return bytes;
}

export const tinyFiles = {
  'a.bin': records(60, 1),
  'b.bin': records(40, 2),
  'c.bin': records(20, 3),
  'names.txt': Buffer.from('cat\ndog\n'),
};

/** The whole, harmless archive, in the order and with the extras that real ones have. */
export const tinyMembers: readonly Member[] = [
  { path: 'tiny-bin/', type: 'Directory' },
  { path: 'tiny-bin/readme.html', content: '<p>read me</p>' },
  ...Object.entries(tinyFiles).map(([name, content]) => ({ path: `tiny-bin/${name}`, content })),
];

export const tinyBytes: Buffer = gzipSync(tarOf(tinyMembers));

/** The description that fits these bytes: the checks are those of the real archives, the numbers its own. */
export const describeArchive = (bytes: Uint8Array): CifarArchive => ({
  layout,
  file: 'tiny.tar.gz',
  md5: md5Of(bytes),
  mostBytes: 2 ** 20,
  members: [
    { name: 'a.bin', bytes: 60 * recordBytes },
    { name: 'b.bin', bytes: 40 * recordBytes },
    { name: 'c.bin', bytes: 20 * recordBytes },
    { name: 'names.txt', bytes: { atMost: 100 } },
  ],
});

export const tiny: CifarArchive = describeArchive(tinyBytes);
