import { forbiddenValue, invalidValue, requiredValue, unsupportedValue } from '../field-fault.ts';
import { asText, isObject, type Json, type JsonObject } from '../json.ts';
import type { Cause } from '../field-fault.ts';
import type { Schema } from './schema.ts';
import { validate } from './validate.ts';

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const notAllowed = ['$ref', 'definitions', 'dependencies', 'deprecated', 'discriminator', 'id'];
/** Inside allOf, anyOf, oneOf and not, only value validations may stand. */
const structureOnly = ['additionalProperties', 'default', 'description', 'nullable', 'type'];

/** Why a schema is not structural, so that a definition with it must be refused. */
export function structuralFaults(schema: Json, path: string): Cause[] {
  if (!isObject(schema)) return [requiredValue(path, 'schemas are required')];
  return [
    ...typeFaults(schema, path),
    ...shapeFaults(schema, path),
    ...childrenOf(schema, path).flatMap(([place, child]) => structuralFaults(child, place)),
    ...(['allOf', 'anyOf', 'oneOf'] as const).flatMap((word) => {
      const parts = schema[word];
      return Array.isArray(parts)
        ? parts.flatMap((part, index) => logicFaults(part, `${path}.${word}[${index}]`))
        : [];
    }),
    ...(schema['not'] === undefined ? [] : logicFaults(schema['not'], `${path}.not`)),
  ];
}

function childrenOf(schema: JsonObject, path: string): (readonly [string, Json])[] {
  const { properties, items, additionalProperties } = schema;
  const children: (readonly [string, Json])[] = Object.entries(
    isObject(properties) ? properties : {},
  ).map(([key, child]) => [`${path}.properties[${key}]`, child]);
  if (items !== undefined) children.push([`${path}.items`, items]);
  if (isObject(additionalProperties)) {
    children.push([`${path}.additionalProperties`, additionalProperties]);
  }
  return children;
}

function typeFaults(schema: JsonObject, path: string): Cause[] {
  const { type } = schema;
  const free =
    schema['x-kubernetes-int-or-string'] === true ||
    schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (type === undefined || type === '') {
    return free
      ? []
      : [requiredValue(`${path}.type`, 'must not be empty for specified object fields')];
  }
  return types.includes(asText(type)) ? [] : [unsupportedValue(`${path}.type`, type, types)];
}

function shapeFaults(schema: JsonObject, path: string): Cause[] {
  const faults: Cause[] = [];
  for (const word of notAllowed) {
    if (schema[word] !== undefined)
      faults.push(forbiddenValue(`${path}.${word}`, `${word} is not supported`));
  }
  if (schema['uniqueItems'] === true) {
    faults.push(
      forbiddenValue(
        `${path}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    );
  }
  if (isObject(schema['properties']) && isObject(schema['additionalProperties'])) {
    faults.push(
      forbiddenValue(
        `${path}.additionalProperties`,
        'additionalProperties and properties are mutual exclusive',
      ),
    );
  }
  if (schema['additionalProperties'] === false) {
    faults.push(
      forbiddenValue(`${path}.additionalProperties`, 'additionalProperties cannot be set to false'),
    );
  }
  if (schema['type'] === 'array' && schema['items'] === undefined) {
    faults.push(requiredValue(`${path}.items`, 'must be specified'));
  }
  const { pattern } = schema;
  if (typeof pattern === 'string' && !compiles(pattern)) {
    faults.push(invalidValue(`${path}.pattern`, pattern, 'must be a valid regular expression'));
  }
  const given = schema['default'];
  // Every fault of the shape is reported above; what is left of it is a schema to judge a value by.
  if (given !== undefined) faults.push(...validate(given, schema as Schema, `${path}.default`));
  return faults;
}

function logicFaults(part: Json, path: string): Cause[] {
  if (!isObject(part)) return [];
  const free = part['x-kubernetes-int-or-string'] === true;
  return structureOnly
    .filter(
      (word) => part[word] !== undefined && !(word === 'type' && free) && !isIntOrTextPart(part),
    )
    .map((word) => forbiddenValue(`${path}.${word}`, 'must be empty to be structural'));
}

/** `anyOf: [{type: integer}, {type: string}]` beside x-kubernetes-int-or-string is the one exception. */
const isIntOrTextPart = (part: JsonObject): boolean =>
  Object.keys(part).length === 1 && (part['type'] === 'integer' || part['type'] === 'string');

function compiles(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}
