import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { UsageError } from '../errors.ts';

/** A program that answers JSON lines by JSON lines. Other lines of its are left out. */
export interface AskedProcess {
  /** The next line that it says. Throws UsageError, naming the program, where that is an error or it ends. */
  answer(): Promise<Readonly<Record<string, string | number>>>;
  send(order: object): void;
  close(): void;
}

/** Starts one; what it says on standard error goes to ours. `name` is what messages call it. */
export function askedProcess(
  name: string,
  [file, ...argv]: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): AskedProcess {
  const child: ChildProcessWithoutNullStreams = spawn(file, argv, { env });
  child.stderr.pipe(process.stderr);
  // Without these a program that is not there, or is gone, would end this one.
  let failed: string | undefined;
  child.on('error', (error) => {
    failed = error.message;
  });
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async answer() {
      while (true) {
        const { value, done } = await lines.next();
        if (done)
          throw new UsageError(`${name} ended without an answer${failed ? `: ${failed}` : ''}`);
        if (!value.startsWith('{')) continue;
        const said = JSON.parse(value) as Record<string, string | number>;
        if (said.error !== undefined) throw new UsageError(`${name}: ${said.error}`);
        return said;
      }
    },
    send(order) {
      child.stdin.write(`${JSON.stringify(order)}\n`);
    },
    close: () => child.stdin.end(),
  };
}
