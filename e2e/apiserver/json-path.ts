import { isObject, type Json, same } from './json.ts';

type Step =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'each' }
  | { readonly kind: 'where'; readonly path: readonly Step[]; readonly equals: Json };

/** A compiled path. */
type JsonPath = readonly Step[];

const token =
  /\.([^.[\]\\]*(?:\\.[^.[\]\\]*)*)|\[(-?\d+)\]|\[\*\]|\['([^']*)'\]|\[\?\(@([^=]+?)\s*==\s*("[^"]*"|'[^']*'|[^)]+?)\)\]/gy;

/**
 * The part of Kubernetes' JSONPath that printer columns use: `.a.b`, `.a\.b`, `[0]`, `[*]`,
 * `['a']`, `[?(@.type=="Ready")]`. Undefined for anything else.
 */
export function parseJsonPath(text: string): JsonPath | undefined {
  const steps: Step[] = [];
  token.lastIndex = 0;
  let read = 0;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    read = token.lastIndex;
    const [whole, key, index, quoted, where, equals = ''] = match;
    if (key !== undefined) steps.push({ kind: 'key', key: key.replace(/\\(.)/g, '$1') });
    else if (index !== undefined) steps.push({ kind: 'index', index: Number(index) });
    else if (quoted !== undefined) steps.push({ kind: 'key', key: quoted });
    else if (where !== undefined) {
      const path = parseJsonPath(where.trim());
      if (path === undefined) return undefined;
      steps.push({ kind: 'where', path, equals: literal(equals) });
    } else if (whole === '[*]') steps.push({ kind: 'each' });
    if (read === text.length) return steps;
    token.lastIndex = read;
  }
  return undefined;
}

function literal(text: string): Json {
  if (/^["']/.test(text)) return text.slice(1, -1);
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** All values that the path leads to. */
export function valuesAt(value: Json, path: JsonPath): Json[] {
  let here = [value];
  for (const step of path) here = here.flatMap((item) => take(item, step));
  return here;
}

function take(value: Json, step: Step): Json[] {
  switch (step.kind) {
    case 'key': {
      const found = isObject(value) && Object.hasOwn(value, step.key) ? value[step.key] : undefined;
      return found === undefined ? [] : [found];
    }
    case 'index': {
      const found = Array.isArray(value) ? value.at(step.index) : undefined;
      return found === undefined ? [] : [found];
    }
    case 'each':
      return Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
    case 'where':
      return (Array.isArray(value) ? value : []).filter((item) =>
        valuesAt(item, step.path).some((found) => same(found, step.equals)),
      );
  }
}
