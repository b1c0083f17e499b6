import { join } from 'node:path';
import type { StageName } from '../align/manifest.ts';
import type { Matrix } from '../align/matrix.ts';
import type { Reference } from '../align/reference.ts';
import { sideBySide } from '../align/sideBySide.ts';
import { openOnDevice } from '../backends/choose.ts';
import { runOnnxModel } from '../backends/ort/onnx/onnxModel.ts';
import { everyBackend, openInProcess } from '../backends/registry.ts';
import { UsageError } from '../errors.ts';
import { writeFileAtomic } from '../io/atomicFile.ts';
import { matrixJson, matrixMarkdown } from '../report/matrixReport.ts';
import type { CliContext } from './context.ts';
import { diffWeights } from './diffWeights.ts';
import { named } from './outputFlags.ts';

export interface DiffBackendsOptions {
  /** Those that were named; without, whatever this machine has and is fast enough. */
  readonly backends?: readonly string[];
  readonly stages: readonly StageName[];
  readonly threads?: number;
  readonly weights?: string;
  readonly out: string;
  readonly json?: string;
  readonly trace?: boolean;
  readonly tolerances?: string;
  readonly junit?: string;
  readonly versions: Readonly<Record<string, string>>;
}

const failures = (matrices: readonly Matrix[]): string[] =>
  matrices.flatMap(({ model, rows }) =>
    rows.flatMap(({ name, cells }) =>
      cells.flatMap((cell) => (cell.passed ? [] : [`${name} ${model} ${cell.stage}`])),
    ),
  );

/** The stages on several backends: tables on the terminal, and everything in `backends.json`. */
export async function diffBackends(
  options: DiffBackendsOptions,
  context: CliContext,
  references: () => readonly Reference[],
): Promise<void> {
  const { trace, tolerances, junit } = options;
  const unfit = Object.entries({ trace, tolerances, junit }).find(
    ([, given]) => given !== undefined,
  );
  if (unfit !== undefined) {
    throw new UsageError(`--${unfit[0]} belongs to a run of one backend`, {
      fix: 'leave it out, or name one with --backend',
    });
  }
  const opened = references();
  const weights = diffWeights(options.weights, opened[0], context);
  const matrices = await sideBySide({
    backends: options.backends ?? everyBackend,
    open: (name) => openOnDevice(name, options.threads ? { threads: options.threads } : {}),
    named: options.backends !== undefined,
    stages: options.stages,
    references: opened,
    ...(weights && { weights }),
    oracle: await openInProcess('oracle'),
    runOnnx: runOnnxModel,
    progress: context.print,
  });
  const file = options.json ?? join(options.out, 'backends.json');
  writeFileAtomic(file, new TextEncoder().encode(matrixJson(matrices, options.versions)));
  for (const line of matrices.flatMap(matrixMarkdown)) context.print(line);
  const failed = failures(matrices);
  if (failed.length > 0) context.fail();
  const what = failed.length === 0 ? 'all stages passed' : `failed: ${failed.join(', ')}`;
  context.print(`${what}; everything in ${named(file)}`);
}
