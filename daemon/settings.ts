import { existsSync } from 'node:fs';

/** One setting of a program: a flag `--its-name`, perhaps with a twin in the environment; the flag wins. */
export type Setting<T> = {
  /** The variable that may say it, too. An empty one says nothing. */
  readonly env?: string;
  /** What holds where nothing is said. Without it, and without `optional`, the setting is required. */
  readonly fallback?: T;
  readonly optional?: true;
  /** Throws an `Error` that goes on after the value: `is not a number between 1 and 65535`. */
  readonly parse: (text: string) => T;
  /** How the fallback is shown, where every process has another one. */
  readonly shown?: string;
  /** One line for `--help`. */
  readonly help: string;
};

export type Table = Readonly<Record<string, Setting<unknown>>>;

export type Values<S extends Table> = {
  readonly [K in keyof S]: S[K] extends { readonly parse: (text: string) => infer T }
    ? S[K] extends { readonly optional: true }
      ? T | undefined
      : T
    : never;
};

export type Reading<S extends Table> =
  | { readonly kind: 'settings'; readonly values: Values<S> }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'faults'; readonly text: string };

type Env = Readonly<Record<string, string | undefined>>;

/** Reads all settings of a program from its flags and environment. All faults are reported at once. */
export function readSettings<const S extends Table>(
  program: string,
  table: S,
  argv: readonly string[] = process.argv.slice(2),
  env: Env = process.env,
): Reading<S> {
  if (argv.some((word) => word === '--help' || word === '-h'))
    return { kind: 'help', text: describe(program, table) };
  const faults: string[] = [];
  const flags = readFlags(table, argv, faults);
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(table)) {
    const said = flags.get(name) ?? readEnv(setting, env);
    if (said !== undefined) values[name] = parseSaid(setting, said, faults);
    else if (setting.fallback !== undefined || setting.optional) values[name] = setting.fallback;
    else faults.push(`${flagOf(name)} is missing: ${setting.help}${twin(setting)}`);
  }
  if (faults.length > 0) return { kind: 'faults', text: listFaults(program, faults) };
  // Every name of the table has got a value of its own parser, or its fallback, here.
  return { kind: 'settings', values: Object.freeze(values) as Values<S> };
}

/** A value and where it was said; no text where the value was forgotten. */
type Said = { readonly where: string; readonly text: string | undefined };

function readFlags(table: Table, argv: readonly string[], faults: string[]): Map<string, Said> {
  const names = new Map(Object.keys(table).map((name) => [flagOf(name), name]));
  const flags = new Map<string, Said>();
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [where = word, ...inline] = word.split('=');
    const name = names.get(where);
    if (name === undefined) {
      if (inline.length === 0 && word.startsWith('--')) takeValue(words);
      faults.push(`${word} is not a setting of this program: see --help`);
      continue;
    }
    const bare = table[name]?.parse === flag ? 'true' : undefined;
    const text = inline.length > 0 ? inline.join('=') : (bare ?? takeValue(words));
    if (text === undefined) faults.push(`${where} has no value: write ${where}=VALUE`);
    if (flags.has(name)) faults.push(`${where} is given more than once`);
    flags.set(name, { where, text });
  }
  return flags;
}

function takeValue(words: string[]): string | undefined {
  return words[0]?.startsWith('--') === false ? words.shift() : undefined;
}

function readEnv(setting: Setting<unknown>, env: Env): Said | undefined {
  const text = setting.env === undefined ? undefined : env[setting.env];
  if (setting.env === undefined || text === undefined || text === '') return undefined;
  return { where: setting.env, text };
}

function parseSaid(setting: Setting<unknown>, { where, text }: Said, faults: string[]): unknown {
  if (text === undefined) return undefined;
  try {
    return setting.parse(text);
  } catch (error) {
    faults.push(`${where} "${text}" ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function twin({ env }: Setting<unknown>): string {
  return env === undefined ? '' : ` (or set ${env})`;
}

function listFaults(program: string, faults: readonly string[]): string {
  const lines = faults.map((fault) => `  ${fault}`);
  return [`${program} cannot start:`, ...lines, `See ${program} --help.`, ''].join('\n');
}

/** A setting in words: its flag, the variable or nothing, the fallback or `required` or nothing, and what it is for. */
export type Described = readonly [flag: string, env: string, fallback: string, help: string];

export const describeAll = (table: Table): readonly Described[] =>
  Object.entries(table).map(([name, setting]) => [
    flagOf(name),
    setting.env ?? '',
    setting.shown ?? formatFallback(setting),
    setting.help,
  ]);

function describe(program: string, table: Table): string {
  const lines = describeAll(table).flatMap(([name, env, fallback, help]) => [
    `  ${[name, env, fallback].filter((part) => part !== '').join('  ')}`,
    `      ${help}`,
  ]);
  return [program, '', '  flag  environment  default', ...lines, ''].join('\n');
}

function formatFallback({ fallback, optional }: Setting<unknown>): string {
  if (fallback === undefined) return optional === true ? '' : 'required';
  if (typeof fallback === 'string') return fallback === '' ? '""' : fallback;
  if (!Array.isArray(fallback)) return JSON.stringify(fallback);
  return fallback.map((one) => (one instanceof RegExp ? one.source : String(one))).join(',');
}

export function text(said: string): string {
  if (said === '') throw new Error('is empty');
  return said;
}

export function integerBetween(least: number, most: number): (said: string) => number {
  return (said) => {
    const value = /^-?\d{1,15}$/.test(said) ? Number(said) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new Error(`is not a whole number between ${least} and ${most}`);
  };
}

export function oneOf<const T extends string>(...choices: readonly T[]): (said: string) => T {
  return (said) => {
    const choice = choices.find((one) => one === said);
    if (choice === undefined) throw new Error(`is not one of ${choices.join(', ')}`);
    return choice;
  };
}

/** Separated by commas, blanks around them allowed; an empty text is an empty list. */
export function listOf<T>(parse: (said: string) => T): (said: string) => readonly T[] {
  return (said) => (said.trim() === '' ? [] : said.split(',').map((part) => parse(part.trim())));
}

/** `true` or `false`; as a flag it may stand alone for `true`. */
export function flag(said: string): boolean {
  if (said !== 'true' && said !== 'false') throw new Error('is neither true nor false');
  return said === 'true';
}

export function fileThatExists(path: string): string {
  if (!existsSync(path)) throw new Error('is not a file that exists');
  return path;
}
