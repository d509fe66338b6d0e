import * as z from 'zod';
import { isRecord } from './problem.ts';

/** A structural schema: the OpenAPI subset that a CustomResourceDefinition may use. */
export type Structural = { readonly [key: string]: unknown };

// The order in which they are written, for a person who reads the YAML.
const keywords = [
  'description',
  'type',
  'format',
  'nullable',
  'default',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'exclusiveMinimum',
  'maximum',
  'exclusiveMaximum',
  'minItems',
  'maxItems',
  'x-kubernetes-map-type',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-validations',
  'required',
  'additionalProperties',
  'properties',
  'items',
] as const;

/**
 * The structural schema of what a zod schema takes as input. Throws, naming the place, for all
 * that an API server would not take, so that it fails where CRDs are generated, not where they
 * are applied.
 */
export function structuralSchema(schema: z.ZodType): Structural {
  // Of the input: there, a field with a default is not required.
  const json = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' });
  return convert(json, '');
}

function convert(json: unknown, at: string): Structural {
  if (!isRecord(json)) throw new Error(`${at || 'the schema'} has no schema of its own`);
  const source = withoutSafeBounds(json);
  for (const key of Object.keys(source)) {
    if (!keywords.some((known) => known === key)) {
      throw new Error(`${at || 'the schema'} uses ${key}, which no structural schema can say`);
    }
  }
  check(source, at);
  const entries = keywords
    .filter((key) => source[key] !== undefined && !isNothing(key, source[key]))
    .map((key) => [key, convertValue(key, source[key], at)] as const);
  return Object.fromEntries(entries);
}

function convertValue(key: (typeof keywords)[number], value: unknown, at: string): unknown {
  if (key === 'items' || key === 'additionalProperties') return convert(value, `${at}[]`);
  if (key !== 'properties' || !isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, property]) => [name, convert(property, `${at}.${name}`)]),
  );
}

/** The API server drops an empty list of fields, and would be told of it again at every `kubectl apply`. */
const isNothing = (key: string, value: unknown): boolean =>
  key === 'properties' && isRecord(value) && Object.keys(value).length === 0;

function check(source: Structural, at: string): void {
  const where = at || 'the schema';
  if (typeof source['type'] !== 'string') throw new Error(`${where} has no type`);
  if (source['properties'] !== undefined && source['additionalProperties'] !== undefined) {
    throw new Error(`${where} has both named and free fields, which a CRD cannot have`);
  }
  const { pattern } = source;
  // RE2, which the API server matches with, knows neither look-around nor back references.
  if (typeof pattern === 'string' && /\(\?[=!<]|\\[1-9k]/.test(pattern)) {
    throw new Error(`${where} has the pattern ${pattern}, which RE2 cannot match`);
  }
}

/** zod bounds every integer by what a JavaScript number can hold; that is no rule of ours. */
function withoutSafeBounds(json: Structural): Structural {
  const { minimum, maximum, ...rest } = json;
  return {
    ...rest,
    ...(minimum === undefined || minimum === Number.MIN_SAFE_INTEGER ? {} : { minimum }),
    ...(maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? {} : { maximum }),
  };
}
