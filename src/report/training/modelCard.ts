import { type MarkdownColumn, markdownTable, markdownText } from '../markdown.ts';

/** What a card says of a model. What is absent is not known, and left out. */
export interface CardFacts {
  /** The name of its directory. */
  readonly name: string;
  /** `VGG16BN, widths ÷ 8` */
  readonly title: string;
  readonly parameters: number;
  /** Channels and side of an image. */
  readonly image: { readonly channels: number; readonly side: number };
  readonly classes: number;
  readonly preparation: { readonly mean: readonly number[]; readonly std: readonly number[] };
  /** What the weights are: `the average by SWA of 5 models`. */
  readonly weights?: string;
  readonly data?: CardData;
  readonly metrics?: { readonly loss: number; readonly accuracy: number };
  /** Settings of the run, by the flags of `train`. */
  readonly recipe?: readonly (readonly [flag: string, value: string])[];
  /** Programs and machine: what made it, in words. */
  readonly madeBy: readonly (readonly [what: string, by: string])[];
  /** SHA-256 by file. */
  readonly sha256: Readonly<Record<string, string>>;
}

export interface CardData {
  /** In words: what images these are. */
  readonly said: string;
  /** How the Hub's table of results calls them. */
  readonly type: string;
  readonly train: CardSplit;
  readonly test: CardSplit;
}

export interface CardSplit {
  readonly images?: number;
  readonly sha256: string;
}

/** YAML takes JSON's texts. */
const yaml = (text: string): string => JSON.stringify(text);

function frontMatter({ name, data, metrics }: CardFacts): string[] {
  const tags = ['image-classification', 'stochastic-weight-averaging', 'safetensors', 'onnx'];
  const results =
    data === undefined || metrics === undefined
      ? []
      : [
          'metrics:',
          '- accuracy',
          'model-index:',
          `- name: ${yaml(name)}`,
          '  results:',
          '  - task:',
          '      type: image-classification',
          '    dataset:',
          `      name: ${yaml(data.said)}`,
          `      type: ${yaml(data.type)}`,
          '      split: test',
          '    metrics:',
          '    - type: accuracy',
          `      value: ${metrics.accuracy / 100}`,
          '    - type: loss',
          `      value: ${metrics.loss}`,
        ];
  return [
    '---',
    'pipeline_tag: image-classification',
    'tags:',
    ...tags.map((tag) => `- ${tag}`),
    ...results,
    '---',
  ];
}

const table = (titles: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  markdownTable(
    titles.map((title): MarkdownColumn => ({ title })),
    rows,
  );

function dataSection({ data, metrics }: CardFacts): string[] {
  if (data === undefined) return [];
  const { said, train, test } = data;
  const row = (split: string, { images, sha256 }: CardSplit): string[] => [
    split,
    images?.toLocaleString('en') ?? 'not known',
    `\`${sha256}\``,
  ];
  return [
    '## Data',
    '',
    `${markdownText(said)}.`,
    '',
    ...table(
      ['split', 'images', 'SHA-256 of images and labels'],
      [row('train', train), row('test', test)],
    ),
    ...(metrics === undefined
      ? []
      : [
          '',
          '## Result',
          '',
          ...table(
            ['test accuracy, %', 'test loss, nats per image'],
            [[metrics.accuracy.toFixed(2), metrics.loss.toFixed(4)]],
          ),
          '',
          'The run measured it on the test images named above. It says nothing about other images.',
        ]),
    '',
  ];
}

const listed = (numbers: readonly number[]): string => `[${numbers.join(', ')}]`;

function usage({ image, preparation, classes }: CardFacts): string[] {
  const { channels, side } = image;
  return [
    '## Images',
    '',
    `An image is ${channels} planes of ${side} × ${side} pixels, red first. A pixel from 0 to 255 is divided by 255, then the mean of its channel is`,
    `subtracted and the rest divided by its standard deviation (preprocessor_config.json). There are ${classes} logits.`,
    '',
    '```python',
    'import numpy as np, onnxruntime as ort',
    '',
    `mean, std = np.float32(${listed(preparation.mean)}), np.float32(${listed(preparation.std)})`,
    'session = ort.InferenceSession("onnx/model.onnx")',
    '',
    `def logits(pixels):  # uint8 [n, ${side}, ${side}, ${channels}] → float32 [n, ${classes}]`,
    '    images = (pixels.astype(np.float32) / 255 - mean) / std',
    '    return session.run(["logits"], {"images": np.ascontiguousarray(images.transpose(0, 3, 1, 2))})[0]',
    '```',
    '',
    'The names in model.safetensors are those of the PyTorch model of the authors of SWA. `swa-align eval DIR` evaluates this directory.',
    '',
  ];
}

/** The README.md of an exported model: a header in YAML as the Hub reads it, then Markdown. */
export function modelCard(facts: CardFacts): string {
  const { title, parameters, weights, recipe, madeBy, sha256 } = facts;
  const lines = [
    ...frontMatter(facts),
    '',
    `# ${markdownText(facts.name)}`,
    '',
    `${markdownText(title)}: ${parameters.toLocaleString('en')} parameters${weights === undefined ? '' : `; ${markdownText(weights)}`}.`,
    '',
    ...dataSection(facts),
    ...(recipe === undefined
      ? []
      : [
          '## Recipe',
          '',
          ...table(
            ['setting', 'value'],
            recipe.map(([flag, value]) => [`\`${flag}\``, value]),
          ),
          '',
        ]),
    ...usage(facts),
    '## Files',
    '',
    ...table(
      ['file', 'SHA-256'],
      Object.entries(sha256).map(([file, digest]) => [file, `\`${digest}\``]),
    ),
    '',
    '## Made by',
    '',
    ...table(
      ['', ''],
      madeBy.map(([what, by]) => [what, markdownText(by)]),
    ),
  ];
  return `${lines.join('\n')}\n`;
}
