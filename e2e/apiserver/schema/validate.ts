import {
  invalidValue,
  requiredValue,
  tooLong,
  tooMany,
  unsupportedValue,
  wrongType,
} from '../field-fault.ts';
import { isObject, type Json, same } from '../json.ts';
import type { Cause } from '../field-fault.ts';
import { hasFormat } from './formats.ts';
import { fieldSchema, type Schema } from './schema.ts';
import { join } from './walk.ts';

/** Everything in which the value differs from the schema, in the real server's words. */
export function validate(value: Json, schema: Schema, path = ''): Cause[] {
  if (value === null && schema.nullable === true) return [];
  const typeFault = checkType(value, schema, path);
  if (typeFault !== undefined) return [typeFault];
  const faults = [...checkEnum(value, schema, path), ...checkLogic(value, schema, path)];
  if (typeof value === 'string') faults.push(...checkText(value, schema, path));
  else if (typeof value === 'number') faults.push(...checkNumber(value, schema, path));
  else if (Array.isArray(value)) faults.push(...checkList(value, schema, path));
  else if (isObject(value)) faults.push(...checkObject(value, schema, path));
  return faults;
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function checkType(value: Json, schema: Schema, path: string): Cause | undefined {
  const found = typeOf(value);
  const wrong = (wanted: string) =>
    wrongType(path, found, `${path} in body must be of type ${wanted}: "${found}"`);
  if (schema['x-kubernetes-int-or-string'] === true) {
    return found === 'integer' || found === 'string' ? undefined : wrong('integer,string');
  }
  const { type, format } = schema;
  if (type === undefined) return undefined;
  if (type !== found && !(type === 'number' && found === 'integer')) return wrong(type);
  if (type === 'integer' && typeof value === 'number' && !fits(value, format)) {
    return wrongType(path, value, `${path} in body must be of type ${format}: ${value}`);
  }
  return undefined;
}

const fits = (value: number, format: string | undefined): boolean =>
  format !== 'int32' || (value >= -(2 ** 31) && value < 2 ** 31);

function checkEnum(value: Json, schema: Schema, path: string): Cause[] {
  if (schema.enum === undefined || schema.enum.some((known) => same(known, value))) return [];
  return [unsupportedValue(path, value, schema.enum)];
}

function checkText(value: string, schema: Schema, path: string): Cause[] {
  const faults: Cause[] = [];
  const length = Array.from(value).length;
  const { minLength = 0, maxLength = Infinity, pattern, format } = schema;
  if (length > maxLength) faults.push(tooLong(path, maxLength));
  if (length < minLength) {
    faults.push(
      invalidValue(path, value, `${path} in body should be at least ${minLength} chars long`),
    );
  }
  if (pattern !== undefined && !patternOf(pattern).test(value)) {
    faults.push(invalidValue(path, value, `${path} in body should match '${pattern}'`));
  }
  if (format !== undefined && !hasFormat(value, format)) {
    // What is no time of that form is no such Go value at all.
    const fault = format === 'micro-time' ? wrongType : invalidValue;
    faults.push(fault(path, value, `${path} in body must be of type ${format}: "${value}"`));
  }
  return faults;
}

const patterns = new Map<string, RegExp>();
/** RE2 and JavaScript agree on what CRDs use in practice. */
function patternOf(pattern: string): RegExp {
  const known = patterns.get(pattern) ?? new RegExp(pattern, 'u');
  patterns.set(pattern, known);
  return known;
}

function checkNumber(value: number, schema: Schema, path: string): Cause[] {
  const faults: Cause[] = [];
  const { minimum = -Infinity, maximum = Infinity, multipleOf } = schema;
  const wrong = (why: string) => faults.push(invalidValue(path, value, `${path} in body ${why}`));
  if (schema.exclusiveMinimum === true && value <= minimum)
    wrong(`should be greater than ${minimum}`);
  else if (value < minimum) wrong(`should be greater than or equal to ${minimum}`);
  if (schema.exclusiveMaximum === true && value >= maximum) wrong(`should be less than ${maximum}`);
  else if (value > maximum) wrong(`should be less than or equal to ${maximum}`);
  if (multipleOf !== undefined && value % multipleOf !== 0)
    wrong(`should be a multiple of ${multipleOf}`);
  return faults;
}

function checkList(value: readonly Json[], schema: Schema, path: string): Cause[] {
  const faults: Cause[] = [];
  const { items, minItems = 0, maxItems = Infinity } = schema;
  if (value.length > maxItems) faults.push(tooMany(path, value.length, maxItems));
  if (value.length < minItems) {
    faults.push(
      invalidValue(path, value.length, `${path} in body should have at least ${minItems} items`),
    );
  }
  faults.push(...checkDistinct(value, schema, path));
  if (items !== undefined) {
    for (const [index, item] of value.entries())
      faults.push(...validate(item, items, join(path, index)));
  }
  return faults;
}

/** Sets hold every value once, keyed lists every key once. */
function checkDistinct(value: readonly Json[], schema: Schema, path: string): Cause[] {
  const keys = schema['x-kubernetes-list-map-keys'];
  const kind = schema['x-kubernetes-list-type'];
  if (kind !== 'set' && !(kind === 'map' && keys !== undefined)) return [];
  const seen = new Set<string>();
  const faults: Cause[] = [];
  for (const [index, item] of value.entries()) {
    const key: Json =
      kind === 'set' || keys === undefined || !isObject(item)
        ? item
        : Object.fromEntries(keys.map((name) => [name, item[name] ?? null]));
    const text = JSON.stringify(key);
    if (seen.has(text)) {
      faults.push({
        reason: 'FieldValueDuplicate',
        message: `Duplicate value: ${text}`,
        field: join(path, index),
      });
    }
    seen.add(text);
  }
  return faults;
}

function checkObject(value: { [key: string]: Json }, schema: Schema, path: string): Cause[] {
  const faults: Cause[] = [];
  const { minProperties = 0, maxProperties = Infinity, required = [] } = schema;
  const keys = Object.keys(value);
  for (const name of required) {
    if (!Object.hasOwn(value, name)) faults.push(requiredValue(join(path, name)));
  }
  if (keys.length > maxProperties) faults.push(tooMany(path, keys.length, maxProperties));
  if (keys.length < minProperties) {
    faults.push(
      invalidValue(
        path,
        keys.length,
        `${path} in body should have at least ${minProperties} properties`,
      ),
    );
  }
  for (const key of keys) {
    const inner = fieldSchema(schema, key);
    if (inner !== undefined) faults.push(...validate(value[key] ?? null, inner, join(path, key)));
  }
  return faults;
}

function checkLogic(value: Json, schema: Schema, path: string): Cause[] {
  const faults: Cause[] = [];
  const wrong = (why: string) =>
    faults.push(
      invalidValue(path, typeof value === 'object' ? '' : value, `"${path}" must ${why}`),
    );
  const holds = (part: Schema): boolean => validate(value, part, path).length === 0;
  const { allOf = [], anyOf = [], oneOf = [], not } = schema;
  const parts = allOf.flatMap((part) => validate(value, part, path));
  if (parts.length > 0) {
    wrong('validate all the schemas (allOf)');
    faults.push(...parts);
  }
  if (anyOf.length > 0 && !anyOf.some(holds)) wrong('validate at least one schema (anyOf)');
  if (oneOf.length > 0) {
    const count = oneOf.filter(holds).length;
    if (count === 0) wrong('validate one and only one schema (oneOf). Found none valid');
    if (count > 1)
      wrong(`validate one and only one schema (oneOf). Found ${count} valid alternatives`);
  }
  if (not !== undefined && holds(not)) wrong('not validate the schema (not)');
  return faults;
}
