import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clone, isObject, type Json, type JsonObject, parseJson, same } from '../json.ts';
import { keyedList, record, text, type Schema } from '../schema/schema.ts';
import { jsonPatch } from './json.ts';
import { mergePatch } from './merge.ts';
import { strategicPatch } from './strategic.ts';

const anyJson: fc.Arbitrary<Json> = fc
  .json({ maxDepth: 3 })
  .map((written) => parseJson(written) ?? null);

const withoutNulls = (value: Json): boolean =>
  value === null
    ? false
    : Array.isArray(value)
      ? true
      : isObject(value)
        ? Object.values(value).every(withoutNulls)
        : true;

/** The merge patch that leads from one document to the other. */
function difference(from: Json, to: Json): Json {
  if (!isObject(from) || !isObject(to)) return to;
  const patch: JsonObject = {};
  for (const key of Object.keys(from)) if (!Object.hasOwn(to, key)) patch[key] = null;
  for (const [key, value] of Object.entries(to)) {
    if (!same(from[key], value)) patch[key] = difference(from[key] ?? null, value);
  }
  return patch;
}

// RFC 7386, appendix A.
for (const [target, patch, result] of [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [['a', 'b'], ['c'], ['c']],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
] as const satisfies readonly (readonly [unknown, unknown, unknown])[]) {
  test(`merging ${JSON.stringify(patch)} into ${JSON.stringify(target)}`, () => {
    assert.deepEqual(mergePatch(clone(target as Json), patch as Json), result);
  });
}

test('a merge patch made of a difference leads to the document, and leaves its target alone', () => {
  fc.assert(
    fc.property(anyJson, anyJson.filter(withoutNulls), (from, to) => {
      const before = clone(from);
      assert.deepEqual(mergePatch(from, difference(from, to)), to);
      assert.deepEqual(from, before);
    }),
  );
});

const patched = (target: Json, patch: Json): Json | string => {
  const result = jsonPatch(target, patch);
  return result.kind === 'patched' ? result.document : result.kind;
};

test('a JSON patch does each of its operations', () => {
  const one = (operation: JsonObject, target: Json = { a: [1, 2], 'b/c': { '~': 3 } }) =>
    patched(target, [operation]);
  assert.deepEqual(one({ op: 'add', path: '/a/1', value: 9 }), { a: [1, 9, 2], 'b/c': { '~': 3 } });
  assert.deepEqual(one({ op: 'add', path: '/a/-', value: 9 }), { a: [1, 2, 9], 'b/c': { '~': 3 } });
  assert.deepEqual(one({ op: 'remove', path: '/b~1c/~0' }), { a: [1, 2], 'b/c': {} });
  assert.deepEqual(one({ op: 'replace', path: '', value: 7 }), 7);
  assert.deepEqual(one({ op: 'copy', from: '/a', path: '/d' }), {
    a: [1, 2],
    'b/c': { '~': 3 },
    d: [1, 2],
  });
  assert.deepEqual(one({ op: 'move', from: '/a/0', path: '/a/1' }), {
    a: [2, 1],
    'b/c': { '~': 3 },
  });
  assert.deepEqual(one({ op: 'test', path: '/a', value: [1, 2] }), {
    a: [1, 2],
    'b/c': { '~': 3 },
  });
  for (const operation of [
    { op: 'test', path: '/a', value: [2, 1] },
    { op: 'remove', path: '/none' },
    { op: 'replace', path: '/none', value: 1 },
    { op: 'add', path: '/a/3', value: 1 },
    { op: 'add', path: '/a/01', value: 1 },
    { op: 'move', from: '/b~1c', path: '/b~1c/x' },
  ]) {
    assert.equal(one(operation), 'inapplicable', JSON.stringify(operation));
  }
  for (const operation of [
    { op: 'leap', path: '/a' },
    { op: 'add', path: '/a' },
    { op: 'add', path: 'a', value: 1 },
    { op: 'copy', path: '/a' },
  ]) {
    assert.equal(one(operation), 'inapplicable', JSON.stringify(operation));
  }
});

test('any JSON at all is a JSON patch that is done, refused or no patch, never a crash', () => {
  fc.assert(
    fc.property(anyJson, anyJson, (target, patch) => {
      const before = clone(target);
      assert.ok(['patched', 'malformed', 'inapplicable'].includes(jsonPatch(target, patch).kind));
      assert.deepEqual(target, before);
    }),
  );
});

const service: Schema = record('', {
  ports: keyedList('', ['port'], record('', { port: { type: 'integer' }, name: text('') })),
  finalizers: { type: 'array', items: { type: 'string' }, 'x-kubernetes-patch-strategy': 'merge' },
  plain: { type: 'array', items: { type: 'string' } },
});
const strategic = (target: JsonObject, patch: JsonObject) => strategicPatch(target, patch, service);

test('a strategic patch merges lists by their key and replaces those without', () => {
  const target = {
    ports: [
      { port: 80, name: 'a' },
      { port: 443, name: 'b' },
    ],
    plain: ['x'],
  };
  assert.deepEqual(
    strategic(target, {
      ports: [
        { port: 443, name: 'c' },
        { port: 53, name: 'd' },
      ],
      plain: ['y'],
    }),
    {
      ports: [
        { port: 80, name: 'a' },
        { port: 443, name: 'c' },
        { port: 53, name: 'd' },
      ],
      plain: ['y'],
    },
  );
});

test('$patch deletes an item or replaces the whole', () => {
  const target = {
    ports: [
      { port: 80, name: 'a' },
      { port: 443, name: 'b' },
    ],
    plain: ['x'],
  };
  assert.deepEqual(strategic(target, { ports: [{ port: 80, $patch: 'delete' }] }), {
    ports: [{ port: 443, name: 'b' }],
    plain: ['x'],
  });
  assert.deepEqual(strategic(target, { ports: [{ $patch: 'replace' }, { port: 53 }] }), {
    ports: [{ port: 53 }],
    plain: ['x'],
  });
  assert.deepEqual(strategic(target, { $patch: 'replace', plain: ['z'] }), { plain: ['z'] });
});

test('$retainKeys drops the others, $deleteFromPrimitiveList takes values out', () => {
  assert.deepEqual(
    strategic({ plain: ['x'], finalizers: ['a'] }, { $retainKeys: ['plain'], plain: ['y'] }),
    { plain: ['y'] },
  );
  assert.deepEqual(
    strategic(
      { finalizers: ['a', 'b'] },
      { '$deleteFromPrimitiveList/finalizers': ['a'], finalizers: ['c'] },
    ),
    { finalizers: ['b', 'c'] },
  );
});

test('$setElementOrder puts the listed in order and keeps the others behind their neighbours', () => {
  const target = { ports: [{ port: 1 }, { port: 2 }, { port: 3 }] };
  const patch = { '$setElementOrder/ports': [{ port: 3 }, { port: 1 }] };
  assert.deepEqual(strategic(target, patch), { ports: [{ port: 3 }, { port: 1 }, { port: 2 }] });
});
