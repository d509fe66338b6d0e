import { asText, clone, isObject, type Json, same } from '../json.ts';

/** What a JSON patch comes to: a document, or the reason why not. */
type Patched =
  | { readonly kind: 'patched'; readonly document: Json }
  | { readonly kind: 'malformed' | 'inapplicable'; readonly why: string };

class Inapplicable extends Error {}

/** RFC 6902, all six operations. Nothing of it is done unless all of it can be. */
export function jsonPatch(target: Json, patch: Json): Patched {
  if (!Array.isArray(patch))
    return { kind: 'malformed', why: 'a JSON patch is a list of operations' };
  let document = clone(target);
  for (const [index, operation] of patch.entries()) {
    const fault = operationFault(operation);
    if (fault !== undefined) return { kind: 'inapplicable', why: `operation ${index}: ${fault}` };
    try {
      document = perform(document, operation);
    } catch (error) {
      if (!(error instanceof Inapplicable)) throw error;
      return { kind: 'inapplicable', why: error.message };
    }
  }
  return { kind: 'patched', document };
}

function operationFault(operation: Json): string | undefined {
  if (!isObject(operation)) return 'is not an object';
  const { op, path, from } = operation;
  if (typeof path !== 'string' || !isPointer(path)) return 'its path is not a JSON pointer';
  switch (asText(op)) {
    case 'add':
    case 'replace':
    case 'test':
      return Object.hasOwn(operation, 'value') ? undefined : `${asText(op)} has no value`;
    case 'move':
    case 'copy':
      return typeof from === 'string' && isPointer(from) ? undefined : `${asText(op)} has no from`;
    case 'remove':
      return undefined;
    default:
      return `unknown op ${JSON.stringify(op ?? null)}`;
  }
}

const isPointer = (text: string): boolean => text === '' || text.startsWith('/');

const stepsOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));

function perform(document: Json, operation: Json): Json {
  const { op, path, from, value } = isObject(operation) ? operation : {};
  const to = stepsOf(asText(path));
  switch (asText(op)) {
    case 'add':
      return put(document, to, clone(value ?? null));
    case 'replace':
      return put(take(document, to).rest, to, clone(value ?? null));
    case 'remove':
      return take(document, to).rest;
    case 'copy':
      return put(document, to, clone(read(document, stepsOf(asText(from)))));
    case 'move': {
      if (`${asText(path)}/`.startsWith(`${asText(from)}/`) && path !== from) {
        throw new Inapplicable(`cannot move ${asText(from)} into itself`);
      }
      const { taken, rest } = take(document, stepsOf(asText(from)));
      return put(rest, to, taken);
    }
    default:
      if (same(read(document, to), value)) return document;
      throw new Inapplicable(`testing value ${asText(path)} failed: test failed`);
  }
}

function read(document: Json, steps: readonly string[]): Json {
  let here = document;
  for (const step of steps) here = child(here, step);
  return here;
}

function child(here: Json, step: string): Json {
  const found = Array.isArray(here)
    ? here[indexOf(step, here.length - 1)]
    : isObject(here) && Object.hasOwn(here, step)
      ? here[step]
      : undefined;
  if (found === undefined) throw missing(step);
  return found;
}

const missing = (step: string) =>
  new Inapplicable(`the path has no ${JSON.stringify(step)}: missing path`);

function indexOf(step: string, last: number): number {
  if (!/^(0|[1-9]\d*)$/.test(step) || Number(step) > last) throw missing(step);
  return Number(step);
}

/** The document with the value at the place; in a list it is inserted, `-` being the end. */
function put(document: Json, steps: readonly string[], value: Json): Json {
  const last = steps.at(-1);
  if (last === undefined) return value;
  const parent = read(document, steps.slice(0, -1));
  if (Array.isArray(parent)) {
    parent.splice(last === '-' ? parent.length : indexOf(last, parent.length), 0, value);
  } else if (isObject(parent)) {
    Object.defineProperty(parent, last, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  } else {
    throw missing(last);
  }
  return document;
}

function take(document: Json, steps: readonly string[]): { taken: Json; rest: Json } {
  const last = steps.at(-1);
  if (last === undefined) return { taken: document, rest: null };
  const parent = read(document, steps.slice(0, -1));
  const taken = child(parent, last);
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else if (isObject(parent)) delete parent[last];
  return { taken, rest: document };
}
