/** A bug's line of the table, as its test hands it over. */
export interface PlantedRow {
  readonly family: string;
  readonly name: string;
  readonly people: string;
  /** `vgg16 backward`; empty when no stage failed. */
  readonly stage: string;
  readonly at: string;
  /** Whether the stage and the place are those that are to catch it. */
  readonly right: boolean;
  /** The cause that a person should read. */
  readonly reads: string;
  /** The cause that is told first, and whether it is that one; both missing where none is told. */
  readonly told?: string | undefined;
  /** The tensor of which it is told, where that is not the first that failed. */
  readonly toldOf?: string;
  readonly cause?: 'right' | 'wrong' | undefined;
  readonly seconds: number;
}

interface Score {
  readonly says: string;
  readonly counts: (row: PlantedRow) => boolean;
  /** Of all rows: at least, or at most, this share; undefined where it is only told. */
  readonly goal?: { readonly atLeast: number } | { readonly atMost: number };
}

const table: readonly Score[] = [
  { says: 'caught', counts: ({ stage }) => stage !== '', goal: { atLeast: 1 } },
  { says: 'layer or decision right', counts: ({ right }) => right, goal: { atLeast: 0.97 } },
  { says: 'cause right', counts: ({ cause }) => cause === 'right', goal: { atLeast: 0.75 } },
  { says: 'another cause told', counts: ({ cause }) => cause === 'wrong', goal: { atMost: 0.03 } },
  { says: 'no cause told', counts: ({ cause }) => cause === undefined },
];

export interface Counted {
  /** `cause right: 140 of 174, 80.5 %` */
  readonly text: string;
  /** `goal: at least 75 %` where that is not met. */
  readonly missed?: string;
}

const percent = (share: number): string => `${Number((100 * share).toFixed(1))} %`;

/** How many rows are caught, named and explained; of no rows at all every goal is missed. */
export const scoresOf = (rows: readonly PlantedRow[]): Counted[] =>
  table.map(({ says, counts, goal }): Counted => {
    const n = rows.filter(counts).length;
    const share = n / rows.length;
    const text = `${says}: ${n} of ${rows.length}, ${percent(rows.length === 0 ? 0 : share)}`;
    if (goal === undefined) return { text };
    const met = 'atLeast' in goal ? share >= goal.atLeast : share <= goal.atMost;
    const wanted =
      'atLeast' in goal ? `at least ${percent(goal.atLeast)}` : `at most ${percent(goal.atMost)}`;
    return met ? { text } : { text, missed: `goal: ${wanted}` };
  });
