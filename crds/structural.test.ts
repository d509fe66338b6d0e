import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as z from 'zod';
import { structuralSchema } from './structural.ts';

describe('structuralSchema', () => {
  it('says what the zod schema takes as input', () => {
    const schema = z.object({
      name: z
        .string()
        .min(1)
        .max(63)
        .regex(/^[a-z]+$/)
        .describe('A name.'),
      on: z.boolean().default(true),
      weight: z.int32().min(1).max(100).optional(),
      count: z.int().optional(),
      mode: z.enum(['One', 'Two']).optional(),
      labels: z.record(z.string(), z.string()).optional(),
      items: z
        .array(z.object({ key: z.string() }))
        .min(1)
        .meta({
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['key'],
        }),
    });
    assert.deepEqual(structuralSchema(schema), {
      type: 'object',
      required: ['name', 'items'],
      properties: {
        name: {
          description: 'A name.',
          type: 'string',
          pattern: '^[a-z]+$',
          minLength: 1,
          maxLength: 63,
        },
        on: { type: 'boolean', default: true },
        weight: { type: 'integer', minimum: 1, maximum: 100 },
        count: { type: 'integer' },
        mode: { type: 'string', enum: ['One', 'Two'] },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        items: {
          type: 'array',
          minItems: 1,
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['key'],
          items: { type: 'object', required: ['key'], properties: { key: { type: 'string' } } },
        },
      },
    });
  });

  it('refuses, naming the place, what an API server would not take', () => {
    const tree = z.object({
      get children() {
        return z.array(tree);
      },
    });
    const cases: readonly (readonly [z.ZodType, RegExp])[] = [
      [z.object({ a: z.union([z.string(), z.boolean()]) }), /^Error: \.a uses anyOf/],
      [z.object({ a: z.array(z.unknown()) }), /^Error: \.a\[\] has no type/],
      [z.object({ a: z.strictObject({ b: z.string() }) }), /^Error: \.a has both named and free/],
      [z.object({ a: z.string().regex(/^(?!x)/) }), /^Error: \.a has the pattern .* RE2/],
      [z.object({ a: z.string().regex(/(x)\1/) }), /^Error: \.a has the pattern .* RE2/],
      [tree, /\$ref/],
      [z.object({ a: z.date() }), /Date/],
    ];
    for (const [schema, message] of cases) assert.throws(() => structuralSchema(schema), message);
  });
});
