import type { Backend } from '../../backends/backend.ts';
import type { Program } from '../../program/program.ts';
import type { TensorMap } from '../../tensor/tensor.ts';

/** The same backend, which tells what each program is fed before it runs. */
export const watchedBackend = (
  backend: Backend,
  seen: (program: Program, inputs: TensorMap) => void,
): Backend => ({
  ...backend,
  async compile(program, fetches) {
    const executable = await backend.compile(program, fetches);
    return {
      ...executable,
      run(state, inputs, into) {
        seen(program, inputs);
        return executable.run(state, inputs, into);
      },
      ...(executable.start && {
        start(state, inputs) {
          seen(program, inputs);
          return executable.start!(state, inputs);
        },
      }),
    };
  },
});
