import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clone, type Json } from '../json.ts';
import { listOf, record, type Schema, text } from './schema.ts';
import { structuralFaults } from './structural.ts';
import { validate } from './validate.ts';
import { fillDefaults, prune } from './walk.ts';

const faultsOf = (value: Json, schema: Schema): string[] =>
  validate(value, schema, 'spec.x').map(({ field, message }) => `${field}: ${message}`);

for (const [what, value, schema, fault] of [
  [
    'a wrong type',
    'a',
    { type: 'integer' },
    'spec.x: Invalid value: "string": spec.x in body must be of type integer: "string"',
  ],
  [
    'a fraction for an integer',
    1.5,
    { type: 'integer' },
    'spec.x: Invalid value: "number": spec.x in body must be of type integer: "number"',
  ],
  [
    'null where none may be',
    null,
    { type: 'string' },
    'spec.x: Invalid value: "null": spec.x in body must be of type string: "null"',
  ],
  [
    'a value outside the enum',
    'c',
    { type: 'string', enum: ['a', 'b'] },
    'spec.x: Unsupported value: "c": supported values: "a", "b"',
  ],
  [
    'a text that does not match',
    'B',
    { type: 'string', pattern: '^[a-z]+$' },
    'spec.x: Invalid value: "B": spec.x in body should match \'^[a-z]+$\'',
  ],
  [
    'a text too long',
    'abc',
    { type: 'string', maxLength: 2 },
    'spec.x: Too long: may not be more than 2 bytes',
  ],
  [
    'a text too short',
    '',
    { type: 'string', minLength: 1 },
    'spec.x: Invalid value: "": spec.x in body should be at least 1 chars long',
  ],
  [
    'a number too small',
    0,
    { type: 'integer', minimum: 1 },
    'spec.x: Invalid value: 0: spec.x in body should be greater than or equal to 1',
  ],
  [
    'a number at an open end',
    5,
    { type: 'integer', maximum: 5, exclusiveMaximum: true },
    'spec.x: Invalid value: 5: spec.x in body should be less than 5',
  ],
  [
    'too many items',
    [1, 2],
    { type: 'array', maxItems: 1 },
    'spec.x: Too many: 2: must have at most 1 items',
  ],
  [
    'a bad address',
    'x',
    { type: 'string', format: 'ipv4' },
    'spec.x: Invalid value: "x": spec.x in body must be of type ipv4: "x"',
  ],
  [
    'a twin in a set',
    ['a', 'a'],
    { type: 'array', 'x-kubernetes-list-type': 'set' },
    'spec.x[1]: Duplicate value: "a"',
  ],
  [
    'nothing of anyOf',
    1,
    { anyOf: [{ type: 'string' }, { minimum: 2 }] },
    'spec.x: Invalid value: 1: "spec.x" must validate at least one schema (anyOf)',
  ],
  [
    'both of oneOf',
    3,
    { oneOf: [{ minimum: 1 }, { minimum: 2 }] },
    'spec.x: Invalid value: 3: "spec.x" must validate one and only one schema (oneOf). Found 2 valid alternatives',
  ],
  [
    'what not forbids',
    3,
    { not: { minimum: 1 } },
    'spec.x: Invalid value: 3: "spec.x" must not validate the schema (not)',
  ],
] as const satisfies readonly (readonly [string, unknown, Schema, string])[]) {
  test(`${what} is named as the real server names it`, () => {
    assert.deepEqual(faultsOf(clone(value as Json), schema), [fault]);
  });
}

test('faults inside lists and maps carry their path', () => {
  const schema = record('', { list: listOf('', record('', { a: text('', { minLength: 2 }) })) });
  assert.deepEqual(
    validate({ list: [{ a: 'ok' }, { a: 'x' }] }, schema).map(({ field }) => field),
    ['list[1].a'],
  );
});

test('int-or-string takes both and nothing else', () => {
  const schema: Schema = { 'x-kubernetes-int-or-string': true };
  assert.deepEqual([faultsOf(80, schema), faultsOf('http', schema)].flat(), []);
  assert.equal(faultsOf(true, schema).length, 1);
});

const shape = record('', {
  kept: text(''),
  set: { type: 'boolean', default: true },
  inner: record('', { a: text(''), b: { type: 'integer', default: 7 } }),
  open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
});

test('pruning removes what is unknown, and says what', () => {
  const value: Json = { kept: 'a', odd: 1, inner: { a: 'b', odd: {} }, open: { odd: 1 } };
  assert.deepEqual(prune(value, shape), ['odd', 'inner.odd']);
  assert.deepEqual(value, { kept: 'a', inner: { a: 'b' }, open: { odd: 1 } });
});

test('defaults come inside out, and only into what is there', () => {
  const value: Json = { inner: {} };
  fillDefaults(value, shape);
  assert.deepEqual(value, { inner: { b: 7 }, set: true });
});

test('pruning and filling in once is enough, whatever comes', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (given) => {
      // Refused where documents are read.
      fc.pre(!JSON.stringify(given).includes('"__proto__"'));
      const value = clone(given as Json);
      prune(value, shape);
      fillDefaults(value, shape);
      const settled = clone(value);
      assert.deepEqual(prune(value, shape), []);
      fillDefaults(value, shape);
      assert.deepEqual(value, settled);
      validate(value, shape);
    }),
  );
});

for (const [what, schema, field] of [
  ['a field without type', { type: 'object', properties: { a: {} } }, 'schema.properties[a].type'],
  ['a list without items', { type: 'array' }, 'schema.items'],
  [
    'uniqueItems',
    { type: 'array', items: { type: 'string' }, uniqueItems: true },
    'schema.uniqueItems',
  ],
  ['a reference', { type: 'object', $ref: '#/a' }, 'schema.$ref'],
  ['a pattern that does not compile', { type: 'string', pattern: '(' }, 'schema.pattern'],
  ['a default that its own schema refuses', { type: 'integer', default: 'a' }, 'schema.default'],
  [
    'a type inside allOf',
    { type: 'integer', allOf: [{ type: 'integer', minimum: 1 }] },
    'schema.allOf[0].type',
  ],
] as const satisfies readonly (readonly [string, unknown, string])[]) {
  test(`a schema with ${what} is not structural`, () => {
    assert.deepEqual(
      structuralFaults(clone(schema as Json), 'schema').map((fault) => fault.field),
      [field],
    );
  });
}
