import { asText, type Json, type JsonObject } from '../json.ts';
import { readFields } from './reader.ts';
import type { Field, Shape } from './shape.ts';
import { shapes } from './shapes.ts';

export const protobufType = 'application/vnd.kubernetes.protobuf';

/** `k8s` and a zero, before a `runtime.Unknown`: 1 type (1 apiVersion, 2 kind), 2 the object. */
const magic = Uint8Array.of(0x6b, 0x38, 0x73, 0);

/**
 * The object in a body that kubectl's typed commands send. Undefined where it is no such body, is of another kind
 * than those listed, or has a field that is not: then the client is asked for JSON.
 */
export function decodeProtobuf(body: Uint8Array): JsonObject | undefined {
  if (!magic.every((byte, index) => body[index] === byte)) return undefined;
  const fields = readFields(body.subarray(magic.length)) ?? [];
  const part = (number: number): Uint8Array | undefined => {
    const value = fields.find((field) => field.number === number)?.value;
    return typeof value === 'number' ? undefined : value;
  };
  const type = decodeMessage(part(1) ?? new Uint8Array(), {
    1: ['apiVersion', { kind: 'text' }],
    2: ['kind', { kind: 'text' }],
  });
  if (type === undefined) return undefined;
  const shape = shapes[`${asText(type['apiVersion'])} ${asText(type['kind'])}`];
  const object =
    shape === undefined ? undefined : decodeMessage(part(2) ?? new Uint8Array(), shape);
  return object === undefined ? undefined : { ...type, ...object };
}

function decodeMessage(bytes: Uint8Array, shape: Shape): JsonObject | undefined {
  const object: JsonObject = {};
  for (const { number, value } of readFields(bytes) ?? [{ number: -1, value: 0 }]) {
    const known = shape[number];
    if (known === undefined) return undefined;
    const [name, field] = known;
    const before = object[name];
    const decoded = decodeField(value, field);
    if (decoded === undefined) return undefined;
    if (decoded === nothing) continue;
    if (field.kind === 'list') object[name] = [...(Array.isArray(before) ? before : []), decoded];
    else if (field.kind === 'map') object[name] = Object.assign({}, before, decoded);
    else object[name] = decoded;
  }
  return object;
}

/** Go writes fields that hold nothing; JSON leaves them out. */
const nothing = Symbol('nothing');

function decodeField(value: number | Uint8Array, field: Field): Json | typeof nothing | undefined {
  if (field.kind === 'ignored') return nothing;
  if (typeof value === 'number') {
    if (field.kind !== 'number' && field.kind !== 'yes') return undefined;
    if (value === 0 && field.pointer !== true) return nothing;
    return field.kind === 'yes' ? value !== 0 : value;
  }
  switch (field.kind) {
    case 'text':
      return value.length === 0 ? nothing : new TextDecoder().decode(value);
    case 'bytes':
      return Buffer.from(value).toString('base64');
    case 'message':
      return decodeMessage(value, field.shape);
    case 'list':
      return decodeField(value, field.of);
    case 'map':
      return decodeEntry(value, field.of);
    case 'numberOrText': {
      const { type, intVal, strVal } = decodeMessage(value, numberOrText) ?? {};
      return type === 1 ? (strVal ?? '') : (intVal ?? 0);
    }
    case 'number':
    case 'yes':
      return undefined;
  }
}

const numberOrText: Shape = {
  1: ['type', { kind: 'number' }],
  2: ['intVal', { kind: 'number' }],
  3: ['strVal', { kind: 'text' }],
};

/** One entry of a map is a message of its own: 1 the key, 2 the value. */
function decodeEntry(bytes: Uint8Array, of: Field): JsonObject | undefined {
  const entry = decodeMessage(bytes, { 1: ['key', { kind: 'text' }], 2: ['value', of] });
  if (entry === undefined) return undefined;
  const { key = '', value = '' } = entry;
  return key === '__proto__' ? undefined : { [asText(key)]: value };
}
