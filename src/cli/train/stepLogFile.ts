import { UsageError } from '../../errors.ts';
import { openGrowingFile } from '../../io/output/growingFile.ts';

/** `--log-steps`: a line a step, `step,lr,loss`, the loss with 9 significant digits (all of a float32). */
export interface StepLogFile {
  add(step: number, lr: number, loss: number): void;
}

const header = 'step,lr,loss';

/**
 * Begins the file, or cuts it back to the steps before `firstStep`, where a resumed run goes on. Throws
 * UsageError rather than overwrite a file of another kind.
 */
export function openStepLog(path: string, firstStep: number): StepLogFile {
  const file = openGrowingFile(path, (earlier) => {
    const [title] = earlier.split('\n');
    if (title !== header && !(earlier === title && header.startsWith(title))) {
      throw new UsageError('exists and is not a log of steps', {
        where: path,
        fix: 'give --log-steps another file',
      });
    }
    // A disk that was full may have torn the last line: "1" of step 12345 would pass for step 1.
    const whole = earlier
      .slice(0, earlier.lastIndexOf('\n') + 1)
      .split('\n')
      .slice(1);
    const kept = whole.filter((line) => line !== '' && Number.parseInt(line, 10) < firstStep);
    return [header, ...kept].map((line) => `${line}\n`).join('');
  });
  return { add: (step, lr, loss) => file.add(`${step},${lr},${loss.toPrecision(9)}\n`) };
}
