import { InvalidArgumentError } from 'commander';
import { backendNames, backends, checkBackend, devicesOf } from '../../backends/registry.ts';
import { drawnBits, type Seed, seedFrom } from '../../torch/seed.ts';

/** The original spells its flags with underscores (`--swa_start=161`); ours take either. What follows `--` is no flag. */
export function withDashes(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  const flags = end < 0 ? argv : argv.slice(0, end);
  const dashed = flags.map((arg) => {
    if (!arg.startsWith('--')) return arg;
    const [flag, ...value] = arg.split('=');
    return [flag.replaceAll('_', '-'), ...value].join('=');
  });
  return [...dashed, ...argv.slice(flags.length)];
}

/** The sentence is finished by the flag's name before it, and by the way to its help. */
const mistake = (what: string): InvalidArgumentError => new InvalidArgumentError(what);

const number =
  (accepts: (n: number) => boolean, what: string) =>
  (text: string): number => {
    const n = Number(text);
    if (text.trim() === '' || !accepts(n)) throw mistake(`'${text}' is not ${what}`);
    return n;
  };

/** 1, 2, 3 … */
export const positiveInteger = number(
  (n) => Number.isSafeInteger(n) && n >= 1,
  'a whole number from 1 on',
);

/** 0, 1, 2 … */
export const naturalNumber = number(
  (n) => Number.isSafeInteger(n) && n >= 0,
  'a whole number from 0 on',
);

export const positiveNumber = number((n) => Number.isFinite(n) && n > 0, 'a number above 0');

/** 0 to 1 */
export const fraction = number((n) => n >= 0 && n <= 1, 'a number from 0 to 1');

export const nonNegativeNumber = number((n) => Number.isFinite(n) && n >= 0, 'a number from 0 on');

/** What `torch.manual_seed` takes. */
export function torchSeed(text: string): Seed {
  const found = seedFrom(text);
  if (found !== undefined) return found;
  throw mistake(`'${text}' is not a whole number from -2^63 to 2^64 - 1`);
}

/** `1,2,3`: in the order given, no two that draw the same numbers. */
export function seedList(text: string): Seed[] {
  const drawn = new Map<number, Seed>();
  return text.split(',').map((item) => {
    const found = torchSeed(item);
    const earlier = drawn.get(drawnBits(found));
    if (earlier === found) throw mistake(`'${text}' names ${found} twice`);
    if (earlier !== undefined) {
      throw mistake(
        `${found} draws the same as ${earlier}: PyTorch looks at the lowest 32 bits only`,
      );
    }
    drawn.set(drawnBits(found), found);
    return found;
  });
}

/** `a,b`: what stands between the commas. */
export function commaList(text: string): string[] {
  const items = text.split(',').map((item) => item.trim());
  if (items.includes('')) throw mistake(`'${text}' names nothing between two commas`);
  return items;
}

/** One more value of a flag that may be given several times. */
export const more = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** `--backend`, wherever programs run. */
export const backendHelp = `one of ${backendNames.join(', ')}`;

/** Known before anything is read or fetched for it. */
export function backendName(text: string): string {
  checkBackend(text);
  return text;
}

/** One that some backend has; whether it is the one asked for is seen when that is opened. */
export function deviceName(text: string): string {
  const known = ['auto', ...new Set(backendNames.flatMap((name) => Object.keys(devicesOf(name))))];
  if (!known.includes(text)) throw mistake(`'${text}' is not one of ${known.join(', ')}`);
  return text;
}

/** `--device`, wherever programs run. */
export const deviceHelp = `auto (a real GPU where there is one, else the CPU), or what the backend has: ${Object.entries(
  backends,
)
  .map(([name, devices]) => `${name}: ${Object.keys(devices).join(', ')}`)
  .join('; ')}`;
