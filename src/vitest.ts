/**
 * `import 'swa-align/vitest'`: `expect(rec).toAlignWith(ref)`, in Node and in vitest's browser mode.
 *
 * @module swa-align/vitest
 */
import { expect } from 'vitest';
import type { JudgeOptions } from './align/probes/judgeProbes.ts';
import { UsageError } from './errors.ts';
import type { Recording } from './port/judgePort.ts';
import { judge } from './port/judgeWithCauses.ts';
import type { PortReference, ReferenceProbe } from './port/portReference.ts';
import { type AddOptions, Recorder } from './port/recorder.ts';
import type { TensorLike } from './port/tensorLike.ts';

/** A whole reference takes a recording; one of its probes, a tensor. */
export type Against = PortReference | ReferenceProbe;

export type AlignOptions = JudgeOptions & AddOptions;

const isProbe = (against: Against): against is ReferenceProbe =>
  typeof against === 'object' && against !== null && 'reference' in against;

function judged(received: unknown, against: Against, options: AlignOptions) {
  if (received instanceof Promise)
    throw new UsageError('what is to align is a promise', { fix: 'await it first' });
  if (!isProbe(against)) {
    const { layout, pass, ...rest } = options;
    if (layout === undefined && pass === undefined)
      return judge(received as Recording, against, rest);
    throw new UsageError('layout and pass are of one tensor, not of a recording', {
      fix: 'give them to rec.add(…)',
    });
  }
  const { reference, name } = against;
  const { layout, pass: _, ...rest } = options;
  const recorder = new Recorder(reference);
  recorder.add(name, received as TensorLike, layout === undefined ? {} : { layout });
  return judge(recorder, reference, { ...rest, only: [escaped(name)] });
}

/** A name that holds the signs of patterns stands for itself all the same. */
const escaped = (name: string): string => {
  if (/[*?]/.test(name))
    throw new UsageError('a probe whose name holds * or ? is judged by the whole recording', {
      where: name,
    });
  return name;
};

expect.extend({
  toAlignWith(received: unknown, against: Against, options: AlignOptions = {}) {
    const { passed, message } = judged(received, against, options);
    return { pass: passed, message: () => message };
  },
});

interface Matchers<R> {
  /**
   * Holds a recording against a reference, or a tensor against one of its probes; the message is the first
   * divergence, in the order in which things are computed.
   */
  toAlignWith: (against: Against, options?: AlignOptions) => R;
}

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: as vitest declares it
  interface Assertion<T = any> extends Matchers<T> {}
  interface AsymmetricMatchersContaining extends Matchers<unknown> {}
}
