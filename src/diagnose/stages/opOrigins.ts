import type { Manifest } from '../../align/reference/manifest.ts';
import type { Reference } from '../../align/reference/reference.ts';
import type { TensorMap } from '../../tensor/tensor.ts';
import type { Given, Origin, Origins } from './origins.ts';

type Settings = NonNullable<Manifest['stages']['ops']>['settings'][string];
type Side = number | readonly number[];

const text = (side: Side): string =>
  typeof side === 'number' ? `${side}` : `(${side.join(', ')})`;

/**
 * What each kind of case is in PyTorch's words, by the first word of its name: from what the reference says of it alone,
 * as our side's own layers may be what is wrong.
 */
const words: Readonly<Record<string, (given: TensorMap, settings: Settings) => string>> = {
  sum: () => 'Identity()',
  relu: () => 'ReLU()',
  maxPool2d: (_, { size = 2 }) => `MaxPool2d(kernel_size=${text(size)})`,
  avgPool2d: (_, { size = 2 }) => `AvgPool2d(kernel_size=${text(size)})`,
  conv2d(given, { kernel = 3, stride = 1, padding = 0 }) {
    const [to, from] = given.get('weight')!.shape;
    const sides = `kernel_size=${text(kernel)}, stride=${text(stride)}, padding=${text(padding)}`;
    return `Conv2d(${from}, ${to}, ${sides})`;
  },
  linear(given) {
    const [to, from] = given.get('weight')!.shape;
    return `Linear(${from}, ${to})`;
  },
  flatten: () => 'Flatten()',
  batchNorm: (given) => `BatchNorm2d(${given.get('x')!.shape[1]}, eps=1e-05, momentum=0.1)`,
  dropout: (_, { p = 0.5 }) => `Dropout(p=${p})`,
  logSoftmax: () => 'LogSoftmax(dim=1)',
  crossEntropy: () => 'CrossEntropyLoss()',
};

const kinds: Readonly<Record<string, Given['kind']>> = {
  dy: 'output gradient',
  weight: 'weight',
  bias: 'weight',
  running_mean: 'buffer',
  running_var: 'buffer',
  mask: 'draw',
};

/** What a case begins with has the name of what it leaves, before the first step. */
const nameOf = (of: string, short: string): string =>
  `${short.startsWith('running_') ? 'initial/' : ''}${of}/${short}`;

/** What the results of every case are computed from. */
export function opOrigins(reference: Reference): Origins {
  const { file, settings } = reference.stage('ops');
  const arrays = reference.arrays(file);
  const given = new Map<string, Given>();
  const cases = new Map<string, Map<string, string>>();
  for (const [key, value] of arrays) {
    const [, of, short] = /^given\/(.*)\/(\w+)$/.exec(key) ?? [];
    if (of === undefined) continue;
    const name = nameOf(of, short);
    given.set(name, { kind: kinds[short] ?? 'input', value });
    cases.set(of, (cases.get(of) ?? new Map()).set(short, name));
  }
  const origins = new Map<string, Origin>();
  for (const key of arrays.keys()) {
    const [, of, result] = /^f32\/(.*)\/([\w.]+)$/.exec(key) ?? [];
    const sources = of === undefined ? undefined : cases.get(of);
    if (sources === undefined) continue;
    const isGradient = result.endsWith('.grad');
    // A gradient is computed from what is sent back; a result from all else.
    const from = [...sources].flatMap(([short, name]) =>
      short === 'dy' && !isGradient ? [] : [name],
    );
    const own = new Map([...sources].map(([short, name]) => [short, given.get(name)!.value]));
    const what = words[of.split(' ')[0]]?.(own, settings[of] ?? {});
    const results = isGradient ? [`${of}/y`] : [];
    origins.set(`${of}/${result}`, { from: [...from, ...results], ...(what && { what }) });
  }
  return { origins, given };
}
