import type { Fed, FedBatch } from '../../align/stages/fed.ts';
import { toFloat64 } from '../../tensor/tensor.ts';
import { type Sequence, sequenceOf } from './draws/sequence.ts';
import { type Explained, explained, type Finding, together } from './finding.ts';
import { imagesOf, look } from './images.ts';
import { labelsFinding } from './labels.ts';
import { maskFinding } from './masks.ts';
import { orderFinding } from './orders.ts';
import { type BatchPair, type PassPair, sameNumbers } from './passes.ts';
import type { Seen } from './pixels/decode.ts';
import { plainly, sameView } from './pixels/shown.ts';
import type { FedRecord, ToldBatch } from './record.ts';
import { viewFinding } from './views.ts';

const found = (key: string, says: string): Finding => ({ key, row: 'fed: steps', says });

const sizeOf = ({ images }: FedBatch): number => images.shape[0];

const sizesOf = (batches: readonly FedBatch[]): number[] => batches.map(sizeOf);

const toldSizes = (batches: readonly ToldBatch[]): number[] =>
  batches.map(({ shown }) => shown.length);

/** Ways of seen images, batch by batch. */
function byBatch(seen: readonly Seen[], sizes: readonly number[]): Seen[][] {
  let at = 0;
  return sizes.map((size) => {
    at += size;
    return seen.slice(at - size, at);
  });
}

/** `step 2 of epoch 4` */
const stepName = (step: number, each: number): string =>
  `step ${(step % each) + 1} of epoch ${Math.floor(step / each) + 1}`;

const indicesOf = (batch: readonly { readonly index: number }[]): number[] =>
  batch.map(({ index }) => index);

/** Whether a run goes on elsewhere than it stopped: to the end of that epoch its batches are those of other steps. */
function beginsElsewhere(
  ours: readonly (readonly Seen[])[],
  { steps, stepsAnEpoch: each }: FedRecord,
  from: number,
): Finding | undefined {
  if (from === 0 || ours.length === 0) return undefined;
  const begins = (step: number): boolean => {
    const rest = each - (step % each);
    return ours
      .slice(0, rest)
      .every(
        (batch, j) =>
          step + j < steps.length &&
          sameNumbers(indicesOf(batch), indicesOf(steps[step + j].shown)),
      );
  };
  if (begins(from)) return undefined;
  const at = steps.findIndex((_, step) => begins(step));
  if (at < 0) return undefined;
  const where = `begins at ${stepName(at, each)}, the reference goes on with ${stepName(from, each)}`;
  if (at > from) {
    const lost = at - from === 1 ? 'a batch is lost' : `${at - from} batches are lost`;
    return found('lost', `${where}: ${lost}`);
  }
  return Math.floor(at / each) === Math.floor(from / each)
    ? found('anew', `${where}: the epoch begins anew, its first steps are made again`)
    : found('earlier', `${where}: resumed from an earlier step, another checkpoint`);
}

/** Both sides of the steps from `from` on, epoch by epoch. */
function epochsOf(
  ours: readonly Seen[][],
  { steps, stepsAnEpoch: each }: FedRecord,
  from: number,
): PassPair[] {
  const passes = new Map<number, PassPair & { batches: PassPair['batches'][number][] }>();
  ours.forEach((batch, j) => {
    const epoch = Math.floor((from + j) / each);
    const own = passes.get(epoch) ?? {
      name: `epoch ${epoch + 1}`,
      first: (from + j) % each,
      order: steps.slice(epoch * each, (epoch + 1) * each).flatMap(({ shown }) => indicesOf(shown)),
      batches: [],
    };
    own.batches.push({ ours: batch, theirs: steps[from + j] });
    passes.set(epoch, own);
  });
  return [...passes.values()];
}

const otherOrder = ({ ours, theirs }: BatchPair): boolean =>
  !sameNumbers(indicesOf(ours), indicesOf(theirs.shown));

const otherView = ({ ours, theirs }: BatchPair): boolean =>
  ours.some((way, i) => way.upsideDown || !sameView(way, theirs.shown[i]));

interface Given {
  readonly record: FedRecord;
  readonly sequence: () => Sequence;
}

/** What images and their order differ by, where both sides are divided into the same batches. */
function passFindings(passes: readonly PassPair[], { record, sequence }: Given) {
  const batches = passes.flatMap((pass) => pass.batches);
  const [ordered, viewed] = [otherOrder, otherView].map((differs) => batches.findIndex(differs));
  const order = explained(ordered >= 0, orderFinding(passes, record, sequence));
  const views = explained(viewed >= 0, viewFinding(passes, record, sequence));
  // What differs first may be why the other one does.
  const viewsFirst = viewed >= 0 && viewed < ordered;
  return { order, inTurn: viewsFirst ? [views, order] : [order, views] };
}

function maskFindings(fed: Fed, given: Given): [string, Finding | undefined][] {
  const { record, sequence } = given;
  const theirs = record.steps.slice(fed.from);
  const [{ masks }] = theirs;
  return masks.flatMap((_, layer): [string, Finding | undefined][] => {
    const ours = fed.steps.flatMap((step) => step.masks[layer] ?? []);
    // A program that is fed no mask has none that could be another.
    if (ours.length !== theirs.length) return [];
    const of = (batches: readonly ToldBatch[], n: number): Float64Array[] =>
      batches.map((batch) => batch.masks[n]);
    const finding = maskFinding(
      {
        width: masks[layer].length / theirs[0].shown.length,
        ours: ours.map(toFloat64),
        theirs: of(theirs, layer),
        others: masks.flatMap((__, n) => (n === layer ? [] : [of(theirs, n)])),
        step: (i) => stepName(fed.from + i, record.stepsAnEpoch),
      },
      1 - record.dropout,
      sequence,
    );
    return [[`mask${layer}`, finding]];
  });
}

function stepFindings(fed: Fed, given: Given): [string, Finding | undefined][] {
  const { record } = given;
  const theirs = record.steps.slice(fed.from);
  const sizes = sizesOf(fed.steps);
  const images = imagesOf(fed.steps);
  const expected = theirs.flatMap(({ shown }) => shown);
  const guesses = images.map((_, i) => expected[i] ?? plainly(0));
  const looked = look(images, guesses, record.train, record.constants);
  const ours = looked && byBatch(looked.seen, sizes);
  const elsewhere = ours && beginsElsewhere(ours, record, fed.from);
  const alike = sameNumbers(sizes, toldSizes(theirs));
  const labels = fed.steps
    .flatMap((step) => (step.labels === undefined ? [] : [...toFloat64(step.labels)]))
    .map((label, i) => ({ index: (looked?.seen ?? expected)[i]?.index ?? 0, label }));
  const wrongLabels = labels.some(({ index, label }) => record.train.labels[index] !== label);
  const ownLabels = explained(wrongLabels, labelsFinding(labels, record.train));
  const passes = ours !== undefined && alike ? epochsOf(ours, record, fed.from) : undefined;
  const found = elsewhere === undefined ? passes && passFindings(passes, given) : undefined;
  const order: Explained = elsewhere ?? found?.order ?? (alike ? 'right' : 'unexplained');
  const masks = elsewhere === undefined && alike ? maskFindings(fed, given) : [];
  return [
    ['labels', together([order, ownLabels])],
    ['images', looked && together([...looked.pixels, ...(found?.inTurn ?? [order])])],
    ...masks,
  ];
}

function refreshFinding(fed: Fed, given: Given): Finding | undefined {
  const { record } = given;
  const done = Math.floor(fed.from / record.stepsAnEpoch);
  const theirs = record.refreshes.slice(done === 0 ? 0 : record.averaged[done - 1]);
  const ours = fed.refreshes;
  if (ours.length === 0) {
    return found(
      'no refresh',
      `no pass refreshes the statistics of the average, the reference makes ${theirs.length}`,
    );
  }
  if (ours.length !== theirs.length) {
    return found(
      'refreshes',
      `${ours.length} passes refresh the statistics of the average, the reference makes ${theirs.length}`,
    );
  }
  if (ours.every((pass, i) => pass.length < theirs[i].length && pass.length === ours[0].length)) {
    const [{ length }] = ours;
    return found(
      'cut short',
      `each pass that refreshes the statistics ends after ${length === 1 ? 'its first batch' : `${length} batches`}, the reference's after ${theirs[0].length}`,
    );
  }
  const fits = ours.every((pass, i) => sameNumbers(sizesOf(pass), toldSizes(theirs[i])));
  if (!fits) return undefined;
  const batches = ours.flat();
  const guesses = theirs.flat().flatMap(({ shown }) => shown);
  const looked = look(imagesOf(batches), guesses, record.train, record.constants);
  if (looked === undefined) return undefined;
  const seen = byBatch(looked.seen, sizesOf(batches));
  let at = 0;
  const passes = theirs.map(
    (pass, i): PassPair => ({
      name: `the pass that refreshes the statistics${theirs.length > 1 ? `, number ${i + 1}` : ''}`,
      first: 0,
      order: pass.flatMap(({ shown }) => indicesOf(shown)),
      batches: pass.map((batch) => ({ theirs: batch, ours: seen[at++] })),
    }),
  );
  return together([...looked.pixels, ...passFindings(passes, given).inTurn]);
}

/** Why training steps, and passes that refresh batch norm, are fed something else: by the names of what was judged. */
export function trainingFindings(fed: Fed, record: FedRecord): Map<string, Finding> {
  let made: Sequence | undefined;
  const sequence = (): Sequence => {
    made ??= sequenceOf(record.seed);
    return made;
  };
  const given = { record, sequence };
  const all = [
    ...stepFindings(fed, given),
    ['batch-norm refresh', refreshFinding(fed, given)] as const,
  ];
  return new Map(
    all.flatMap(([name, finding]) => (finding === undefined ? [] : [[name, finding]])),
  );
}
