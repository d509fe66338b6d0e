import { argv, env } from 'node:process';

/** What may be said to a command of the Makefile: `make lab CUTS=3`. */
export type Variable<T> = {
  /** What holds where nothing is said. */
  readonly fallback: T;
  /** Throws an `Error` that goes on after the value: `is not a number between 1 and 100`. */
  readonly parse: (text: string) => T;
  readonly help: string;
};

/** By the name of the variable. */
export type Variables = Readonly<Record<string, Variable<unknown>>>;

export type Said<V extends Variables> = {
  readonly [K in keyof V]: V[K] extends Variable<infer T> ? T : never;
};

export type Reading<V extends Variables> =
  | { readonly kind: 'said'; readonly said: Said<V> }
  | { readonly kind: 'faults'; readonly faults: readonly string[] };

/** Reads the variables of a command from the environment, where make puts them; an empty one says nothing. */
export function readVariables<const V extends Variables>(
  variables: V,
  words: readonly string[] = argv.slice(2),
  environment: Readonly<Record<string, string | undefined>> = env,
): Reading<V> {
  const example = `${Object.keys(variables)[0] ?? 'NAME'}=VALUE`;
  const faults = words.map((word) => `${word} is no variable: write ${example}`);
  const said: Record<string, unknown> = {};
  for (const [name, { fallback, parse, help }] of Object.entries(variables)) {
    const text = environment[name] ?? '';
    try {
      said[name] = text === '' ? fallback : parse(text);
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      faults.push(`${name}=${text} ${fault} (${help})`);
    }
  }
  // Every name of the table has got a value of its own parser, or its fallback, here.
  return faults.length > 0 ? { kind: 'faults', faults } : { kind: 'said', said: said as Said<V> };
}

/** A switch as people write it. */
export function yesOrNo(text: string): boolean {
  const word = text.toLowerCase();
  if (['1', 'yes', 'true', 'on'].includes(word)) return true;
  if (['0', 'no', 'false', 'off'].includes(word)) return false;
  throw new Error('is neither 1 nor 0');
}
