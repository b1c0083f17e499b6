import { type CifarLayout, cifar10, imageBytes } from './cifar.ts';
import { cifar100 } from './cifar100.ts';

/** A file of an archive that is kept. Images have one size; of names only the largest sensible one is known. */
export interface ArchiveMember {
  readonly name: string;
  readonly bytes: number | { readonly atMost: number };
}

/** An archive of a data set, as its makers publish it. */
export interface CifarArchive {
  readonly layout: CifarLayout;
  /** Its name below the address it is fetched from, and in the cache. */
  readonly file: string;
  readonly md5: string;
  /** No archive this long is ever taken: a server must not fill the disk. */
  readonly mostBytes: number;
  readonly members: readonly ArchiveMember[];
}

const mebi = 2 ** 20;

const images = ({ labelBytes }: CifarLayout, name: string, count: number): ArchiveMember => ({
  name,
  bytes: count * (labelBytes + imageBytes),
});

const names = (name: string): ArchiveMember => ({ name, bytes: { atMost: 65_536 } });

/** Where the archives are published. */
export const officialAddress = 'https://www.cs.toronto.edu/~kriz/';

/** By the name of the data set; checksums from https://www.cs.toronto.edu/~kriz/cifar.html. */
export const cifarArchives = {
  cifar10: {
    layout: cifar10,
    file: 'cifar-10-binary.tar.gz',
    md5: 'c32a1d4ab5d03f1284b67883e8d87530',
    mostBytes: 256 * mebi,
    members: [
      ...[...cifar10.files.train, ...cifar10.files.test].map((file) =>
        images(cifar10, file, 10_000),
      ),
      names('batches.meta.txt'),
    ],
  },
  cifar100: {
    layout: cifar100,
    file: 'cifar-100-binary.tar.gz',
    md5: '03b5dce01913d631647c71ecec9e9cb8',
    mostBytes: 256 * mebi,
    members: [
      images(cifar100, 'train.bin', 50_000),
      images(cifar100, 'test.bin', 10_000),
      names('fine_label_names.txt'),
    ],
  },
} as const satisfies Record<string, CifarArchive>;
