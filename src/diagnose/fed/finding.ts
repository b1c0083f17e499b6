/** What explains something that was fed, to the bit. */
export interface Finding {
  /** The same mistake elsewhere has the same key. */
  readonly key: string;
  /** Name of the row of the table. */
  readonly row: string;
  readonly says: string;
}

/** `2 fewer draws before the order of epoch 2: at 40720 of the generator, the reference at 40722` */
export function drawsApart(what: string, ours: number, theirs: number): Finding {
  const by = Math.abs(ours - theirs);
  const than = ours < theirs ? 'fewer' : 'more';
  const from = ours === 0 ? ': the generator begins anew from its seed' : '';
  return {
    key: `draws ${ours - theirs}`,
    row: 'fed: draws',
    says: `${by} ${than} ${by === 1 ? 'draw' : 'draws'} before ${what}: drawn at ${ours} of the generator, in the reference at ${theirs}${from}`,
  };
}

/** What a difference comes from: nothing differs, or nothing explains it. */
export type Explained = Finding | 'right' | 'unexplained';

/** Several differences at once: explained where each of them is. */
export function together(parts: readonly Explained[]): Finding | undefined {
  const wrong = parts.filter((part) => part !== 'right');
  if (wrong.length === 0 || wrong.includes('unexplained')) return undefined;
  const findings = wrong as Finding[];
  const distinct = findings.filter(
    ({ key }, i) => findings.findIndex((other) => other.key === key) === i,
  );
  return {
    key: distinct.map(({ key }) => key).join(' and '),
    row: distinct[0].row,
    says: distinct.map(({ says }) => says).join('; '),
  };
}

/** One difference as it stands among several. */
export const explained = (differs: boolean, finding: Finding | undefined): Explained =>
  differs ? (finding ?? 'unexplained') : 'right';
