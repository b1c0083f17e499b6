/** Per channel, of pixels from 0 to 1. */
export interface Constants {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Constants that people normalise images by, and whose they are. */
export const knownConstants: readonly (Constants & { readonly of: string })[] = [
  { of: "ImageNet's", mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  { of: "CIFAR-10's", mean: [0.4914, 0.4822, 0.4465], std: [0.2023, 0.1994, 0.201] },
  { of: "CIFAR-10's", mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] },
  { of: "CIFAR-100's", mean: [0.5071, 0.4867, 0.4408], std: [0.2675, 0.2565, 0.2761] },
  { of: "CIFAR-100's", mean: [0.5071, 0.4865, 0.4409], std: [0.2673, 0.2564, 0.2762] },
  {
    of: "CLIP's",
    mean: [0.48145466, 0.4578275, 0.40821073],
    std: [0.26862954, 0.26130258, 0.27577711],
  },
  { of: 'to −1 … 1', mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
];

const listed = (values: readonly number[]): string =>
  values.map((x) => String(Number(x.toPrecision(4)))).join(', ');

const near = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => Math.abs(x - b[i]) < 2e-5);

/** `mean 0.485, 0.456, 0.406 and deviation 0.229, 0.224, 0.225 (ImageNet's)` */
export function constantsWords({ mean, std }: Constants): string {
  const known = knownConstants.find((k) => near(k.mean, mean) && near(k.std, std));
  const backwards = knownConstants.find(
    (k) => near(k.mean.toReversed(), mean) && near(k.std.toReversed(), std),
  );
  const whose =
    known !== undefined
      ? ` (${known.of})`
      : backwards !== undefined
        ? ` (${backwards.of} in the order BGR)`
        : '';
  return `mean ${listed(mean)} and deviation ${listed(std)}${whose}`;
}
