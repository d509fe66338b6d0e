import { clone, isObject, type Json, type JsonObject } from '../json.ts';
import { metadataSchema } from './metadata.ts';
import { fieldSchema, type Schema } from './schema.ts';

/** `spec.ports[0].name`; a leading dot never appears. */
export const join = (path: string, key: string | number): string =>
  typeof key === 'number' ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;

const embeddedFields: Readonly<Record<string, Schema>> = {
  apiVersion: { type: 'string' },
  kind: { type: 'string' },
  metadata: metadataSchema,
};

/**
 * Removes every field that the schema does not know and returns their paths, as pruning does. An
 * embedded resource keeps its type and metadata.
 */
export function prune(value: Json, schema: Schema, path = ''): string[] {
  if (Array.isArray(value)) {
    const items = schema.items;
    return items === undefined
      ? []
      : value.flatMap((item, index) => prune(item, items, join(path, index)));
  }
  if (!isObject(value) || schema['x-kubernetes-int-or-string'] === true) return [];
  const keepsUnknown =
    schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true;
  const unknown: string[] = [];
  for (const key of Object.keys(value)) {
    const inner =
      fieldSchema(schema, key) ??
      (schema['x-kubernetes-embedded-resource'] === true ? embeddedFields[key] : undefined);
    if (inner !== undefined) {
      unknown.push(...prune(value[key] ?? null, inner, join(path, key)));
    } else if (!keepsUnknown) {
      unknown.push(join(path, key));
      delete value[key];
    }
  }
  return unknown;
}

/** Puts the schema's defaults where a field is missing, inside out and only in what exists. */
export function fillDefaults(value: Json, schema: Schema): void {
  if (Array.isArray(value)) {
    const items = schema.items;
    if (items !== undefined) for (const item of value) fillDefaults(item, items);
    return;
  }
  if (!isObject(value)) return;
  for (const [key, inner] of Object.entries(schema.properties ?? {})) {
    // A null that may not be one counts as missing where there is a default to take its place.
    if (inner.default !== undefined && missing(value, key, inner))
      value[key] = clone(inner.default);
  }
  for (const key of Object.keys(value)) {
    const inner = fieldSchema(schema, key);
    if (inner !== undefined) fillDefaults(value[key] ?? null, inner);
  }
}

const missing = (value: JsonObject, key: string, schema: Schema): boolean =>
  !Object.hasOwn(value, key) || (value[key] === null && schema.nullable !== true);

/** Drops nulls, which a Go struct cannot hold: for the built-in kinds. */
export function dropNulls(value: Json): void {
  if (Array.isArray(value)) {
    for (const item of value) dropNulls(item);
  } else if (isObject(value)) {
    for (const key of Object.keys(value)) {
      const inner = value[key];
      if (inner === null || inner === undefined) delete value[key];
      else dropNulls(inner);
    }
  }
}
