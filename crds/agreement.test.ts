import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { definitions } from './manifest.ts';
import { isRecord } from './problem.ts';
import { type Structural, structuralSchema } from './structural.ts';

const refused = Symbol('refused');

/** What an API server makes of a value: refuses it, or prunes it and fills in the defaults. */
function admit(schema: Structural, value: unknown): unknown {
  const { type, enum: allowed, pattern } = schema;
  if (Array.isArray(allowed) && !allowed.includes(value)) return refused;
  const below = (key: string, actual: number) =>
    typeof schema[key] === 'number' && actual < schema[key];
  const above = (key: string, actual: number) =>
    typeof schema[key] === 'number' && actual > schema[key];
  switch (type) {
    case 'boolean':
      return typeof value === 'boolean' ? value : refused;
    case 'integer':
      if (typeof value !== 'number' || !Number.isInteger(value)) return refused;
      return below('minimum', value) || above('maximum', value) ? refused : value;
    case 'string':
      if (typeof value !== 'string') return refused;
      if (typeof pattern === 'string' && !new RegExp(pattern).test(value)) return refused;
      return below('minLength', value.length) || above('maxLength', value.length) ? refused : value;
    case 'array': {
      if (!Array.isArray(value) || below('minItems', value.length)) return refused;
      const items = value.map((item) => admit(schemaAt(schema, 'items'), item));
      const isSet = schema['x-kubernetes-list-type'] === 'set';
      if (isSet && new Set(items).size < items.length) return refused;
      return items.includes(refused) ? refused : items;
    }
    case 'object':
      return isRecord(value) ? admitFields(schema, value) : refused;
    default:
      return assert.fail(`the schema has the type ${String(type)}`);
  }
}

function schemaAt(schema: Structural, key: string): Structural {
  const found = schema[key];
  assert.ok(isRecord(found));
  return found;
}

function admitFields(schema: Structural, value: Readonly<Record<string, unknown>>): unknown {
  const { properties = {}, additionalProperties, required = [] } = schema;
  assert.ok(isRecord(properties) && Array.isArray(required));
  const names = additionalProperties === undefined ? Object.keys(properties) : Object.keys(value);
  const admitted: [string, unknown][] = [];
  for (const name of names) {
    const of = additionalProperties === undefined ? properties[name] : additionalProperties;
    assert.ok(isRecord(of));
    const given = value[name] ?? of['default'];
    if (given === undefined && !required.includes(name)) continue;
    const field = given === undefined ? refused : admit(of, given);
    if (field === refused) return refused;
    admitted.push([name, field]);
  }
  return Object.fromEntries(admitted);
}

/** Values near a schema: mostly right, sometimes wrong or missing. */
function near(schema: Structural): fc.Arbitrary<unknown> {
  const wrong = fc.constantFrom<unknown>('', 'x', -1, 1.5, true, [], {});
  return fc.oneof({ weight: 30, arbitrary: right(schema) }, { weight: 1, arbitrary: wrong });
}

function right(schema: Structural): fc.Arbitrary<unknown> {
  const { type, enum: allowed, additionalProperties, required = [] } = schema;
  const properties = schema['properties'] ?? (type === 'object' ? {} : undefined);
  if (Array.isArray(allowed)) return fc.constantFrom(...allowed);
  if (type === 'boolean') return fc.boolean();
  if (type === 'integer') return fc.integer({ min: -1, max: 101 });
  if (type === 'array') return fc.array(near(schemaAt(schema, 'items')), { maxLength: 2 });
  if (isRecord(additionalProperties)) {
    return fc.dictionary(fc.constantFrom('a', 'b'), near(additionalProperties));
  }
  if (!isRecord(properties)) {
    return fc.constantFrom('198.51.100.0/28', '2001:db8::/64', 'Ready', '2026-11-21T12:00:00Z');
  }
  assert.ok(Array.isArray(required));
  const fields = Object.entries(properties).map(([name, of]) => {
    assert.ok(isRecord(of));
    return [name, near(of)] as const;
  });
  return fc.record(Object.fromEntries([...fields, ['unknown', fc.constant(1)]]), {
    requiredKeys: required,
  });
}

describe('the schema in the CRD and the parser', () => {
  for (const { kind, spec, status } of definitions) {
    for (const [part, schema] of Object.entries({ spec, status })) {
      it(`agree on every ${part} of ${kind.kind}: what is taken, and what becomes of it`, () => {
        const structural = structuralSchema(schema);
        let taken = 0;
        fc.assert(
          fc.property(near(structural), (written) => {
            const parsed = schema.safeParse(written);
            const admitted = admit(structural, written);
            assert.deepEqual(parsed.success ? parsed.data : refused, admitted);
            if (parsed.success) taken++;
          }),
          { numRuns: 300 },
        );
        assert.ok(taken > 30, `only ${taken} of the generated values were taken`);
      });
    }
  }
});
