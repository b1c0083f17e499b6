import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../errors.ts';
import { fixturesDirectory } from '../../fixtures.ts';
import { readFileOrFail } from '../../io/readFile.ts';
import type { RegisterCommand } from '../context.ts';

const textOf = (name: string): string =>
  new TextDecoder().decode(readFileOrFail(join(fixturesDirectory, `${name}.py`)));

interface Script {
  readonly name: string;
  /** The first sentence of its docstring. */
  readonly does: string;
}

/** The Python files that are programs: those that begin with `#!`. */
const scripts = (): Script[] =>
  readdirSync(fixturesDirectory)
    .filter((file) => file.endsWith('.py'))
    .map((file) => file.slice(0, -'.py'.length))
    .flatMap((name) => {
      const found = /^#!.*\n"""(.*)\n/.exec(textOf(name));
      return found === null ? [] : [{ name, does: found[1] }];
    });

/** Where the Python programs that came with the package lie, for `python3 "$(swa-align python NAME)"`. */
export const python: RegisterCommand = (command, context) => {
  command.argument('[name]', 'for example check_in_torch').action((name: string | undefined) => {
    const known = scripts();
    if (name === undefined) {
      const width = Math.max(...known.map((script) => script.name.length));
      for (const script of known) {
        context.print(`${script.name.padEnd(width)}  ${script.does}`);
      }
      context.printWhole('\nto run one: python3 "$(swa-align python NAME)" --help');
      return;
    }
    const called = name.replace(/\.py$/, '');
    if (!known.some((script) => script.name === called)) {
      throw new UsageError(`there is no Python program "${name}"`, {
        fix: `choose from ${known.map((script) => script.name).join(', ')}`,
      });
    }
    context.printWhole(join(fixturesDirectory, `${called}.py`));
  });
};

/** The recorder, to be laid beside a training script of one's own. */
export const recorder: RegisterCommand = (command, context) => {
  command.action(() => {
    context.printWhole(textOf('recorder').replace(/\n$/, ''));
  });
};
