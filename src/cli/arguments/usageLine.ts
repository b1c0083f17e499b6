import type { Command, CommanderError } from 'commander';

/** `swa-align setup tensorflow` */
function fullName(command: Command): string {
  const { parent } = command;
  return parent === null ? command.name() : `${fullName(parent)} ${command.name()}`;
}

type Sentence = (found: readonly string[], command: Command) => string;

const guess = (meant: string | undefined): string =>
  meant === undefined ? '' : ` (did you mean ${meant}?)`;

/** What commander says of each mistake, taken apart, and how we say it. */
const sentences: { readonly [code: string]: readonly [RegExp, Sentence] } = {
  'commander.invalidArgument': [
    /^option '(\S+).*' argument '(.*)' is invalid\. (?:Allowed choices are (.*)\.|(.*))$/s,
    ([flag, value, choices, what]) =>
      `${flag}: ${choices === undefined ? what : `'${value}' is not one of ${choices}`}`,
  ],
  'commander.optionMissingArgument': [
    /^option '((\S+).*)' argument missing$/,
    ([flags, flag]) => `${flag} needs a value: ${flags}`,
  ],
  'commander.missingMandatoryOptionValue': [
    /^required option '(.*)' not specified$/,
    ([flags]) => `${flags} is missing`,
  ],
  'commander.missingArgument': [
    /^missing required argument '(.*)'$/,
    ([name]) => `<${name}> is missing`,
  ],
  'commander.excessArguments': [
    /^too many arguments/,
    (_, { args, registeredArguments }) =>
      `'${args[registeredArguments.length]}' is one argument too many`,
  ],
  'commander.unknownOption': [
    /^unknown option '(.*)'(?:\n\(Did you mean (.*)\?\))?$/s,
    ([flag, meant], command) =>
      `${command.parent === null ? 'there is' : `${command.name()} has`} no flag ${flag}${guess(meant)}`,
  ],
  'commander.unknownCommand': [
    /^unknown command '(.*)'(?:\n\(Did you mean (.*)\?\))?$/s,
    ([name, meant]) => `there is no command '${name}'${guess(meant)}`,
  ],
};

/** One line, whatever the words on the command line hold. */
const clean = (text: string): string => text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ');

const tells = (command: Command): string =>
  command.commands.length > 0 ? 'lists the commands' : 'lists the arguments';

/** A mistake on the command line in one line, and where help is. */
export function usageLine({ code, message }: CommanderError, command: Command): string {
  const plain = message.replace(/^error: /, '');
  const [pattern, sentence] = sentences[code] ?? [];
  const found = pattern?.exec(plain)?.slice(1);
  const said = found === undefined ? plain : sentence!(found, command);
  return `${clean(said)}; \`${fullName(command)} --help\` ${tells(command)}`;
}
