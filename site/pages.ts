/** What the site shows, in which order, under which name. Every page of docs/ has a row; test/pages.test.ts sees to it. */
export interface Page {
  readonly title: string;
  /** The Markdown file, from the repository's root. */
  readonly file: string;
}

export interface Chapter {
  readonly title: string;
  readonly pages: readonly Page[];
}

const page = (title: string, file: string): Page => ({ title, file });

export const chapters: readonly Chapter[] = [
  {
    title: 'Start',
    pages: [
      page('What it is', 'README.md'),
      page('Judge your own port', 'docs/judge-your-port.md'),
      page('Reading a failure', 'docs/reading-a-failure.md'),
      page('How it judges', 'docs/how-it-judges.md'),
      page('In a GitHub workflow', 'docs/github-action.md'),
      page('Glossary', 'docs/glossary.md'),
    ],
  },
  {
    title: 'Reference format',
    pages: [
      page('Of any network', 'docs/port-reference.md'),
      page('Of the stages', 'docs/reference-format.md'),
      page('Why it is so', 'docs/why-the-format.md'),
    ],
  },
  {
    title: 'Train',
    pages: [
      page('Training', 'docs/training.md'),
      page('Several machines', 'docs/distributed.md'),
      page('GPUs', 'docs/gpus.md'),
      page('WebGPU', 'docs/webgpu.md'),
      page('NVIDIA cards', 'docs/cuda.md'),
      page('TensorFlow', 'docs/tensorflow.md'),
      page('Speed', 'docs/speed.md'),
      page('Landscape', 'docs/landscape.md'),
      page('A trained model', 'docs/trained-model.md'),
    ],
  },
  {
    title: 'Add',
    pages: [
      page('An op', 'docs/adding/op.md'),
      page('A model', 'docs/adding/model.md'),
      page('A backend', 'docs/adding/backend.md'),
      page('A stage', 'docs/adding/stage.md'),
      page('A reporter', 'docs/adding/reporter.md'),
      page('A hypothesis', 'docs/adding/hypothesis.md'),
      page('Anything else', 'docs/adding/README.md'),
    ],
  },
  {
    title: 'Look up',
    pages: [
      page('Commands', 'docs/commands.md'),
      page('Compare two recordings', 'docs/compare.md'),
      page('Tolerances', 'docs/tolerances.md'),
      page('The models', 'docs/models/README.md'),
      page('The package', 'docs/package.md'),
      page('Architecture', 'ARCHITECTURE.md'),
      page('Decisions', 'docs/decisions.md'),
      page('Changelog', 'CHANGELOG.md'),
      page('Contributing', 'CONTRIBUTING.md'),
      page('Security', 'SECURITY.md'),
    ],
  },
];

/** Written by typedoc from the types when the site is built. */
export const api: Chapter = {
  title: 'API',
  pages: [
    page('swa-align', 'api/swa-align.md'),
    page('swa-align/browser', 'api/swa-align/browser.md'),
    page('swa-align/vitest', 'api/swa-align/vitest.md'),
  ],
};

/** Where a page lies on the site: a README is the page of its folder. */
export const addressOf = (file: string): string =>
  file.replace(/(^|\/)README\.md$/, '$1').replace(/\.md$/, '.html');
