import { isObject, type Json, type JsonObject, same } from '../json.ts';
import { fieldSchema, type Schema } from '../schema/schema.ts';

/**
 * A set of fields as a tree. Steps are written as in `fieldsV1`: `f:name` a field, `k:{…}` an item of
 * a keyed list, `v:…` a value of a set. `self` says that the place itself is in the set.
 */
export type FieldSet = { readonly self: boolean; readonly children: ReadonlyMap<string, FieldSet> };

export const noFields: FieldSet = { self: false, children: new Map() };
const leaf: FieldSet = { self: true, children: new Map() };

export const isEmpty = (set: FieldSet): boolean => !set.self && set.children.size === 0;

const branch = (self: boolean, entries: Iterable<readonly [string, FieldSet]>): FieldSet => ({
  self,
  children: new Map([...entries].filter(([, child]) => !isEmpty(child))),
});

/** How a value is owned: as a whole, field by field, item by item or value by value. */
type Grain = 'whole' | 'fields' | 'items' | 'values';

export function grainOf(value: Json, schema: Schema | undefined): Grain {
  if (Array.isArray(value)) {
    const kind = schema?.['x-kubernetes-list-type'];
    return kind === 'map' ? 'items' : kind === 'set' ? 'values' : 'whole';
  }
  if (!isObject(value)) return 'whole';
  return schema?.['x-kubernetes-map-type'] === 'atomic' ? 'whole' : 'fields';
}

/** The step of a keyed list's item: its keys in alphabetical order, defaults filled in. */
function itemStep(item: Json, schema: Schema | undefined): string {
  const keys = [...(schema?.['x-kubernetes-list-map-keys'] ?? [])].sort();
  const known = isObject(item) ? item : {};
  const entries = keys.flatMap((key) => {
    const value = known[key] ?? schema?.items?.properties?.[key]?.default;
    return value === undefined ? [] : [[key, value] as const];
  });
  return `k:${JSON.stringify(Object.fromEntries(entries))}`;
}

/** The parts of a value with the steps that lead to them. */
export function* parts(value: Json, schema: Schema | undefined): Generator<Part> {
  switch (grainOf(value, schema)) {
    case 'fields':
      for (const [key, inner] of Object.entries(isObject(value) ? value : {})) {
        yield { step: `f:${key}`, value: inner, schema: fieldSchema(schema, key) };
      }
      return;
    case 'items':
      for (const item of Array.isArray(value) ? value : []) {
        yield { step: itemStep(item, schema), value: item, schema: schema?.items };
      }
      return;
    case 'values':
      for (const item of Array.isArray(value) ? value : []) {
        yield { step: `v:${JSON.stringify(item)}`, value: item, schema: undefined };
      }
      return;
    case 'whole':
      return;
  }
}
type Part = {
  readonly step: string;
  readonly value: Json;
  readonly schema: Schema | undefined;
};

/** Every field that the value has. */
export function fieldsOf(value: Json, schema: Schema | undefined): FieldSet {
  const children = [...parts(value, schema)].map(({ step, value: inner, schema: its }) => {
    const set = fieldsOf(inner, its);
    // An item of a keyed list is itself owned, besides its fields.
    return [step, step.startsWith('k:') ? { ...set, self: true } : set] as const;
  });
  return children.length === 0 ? leaf : branch(false, children);
}

/** The fields of `after` that are new or have another value than in `before`. */
export function changedFields(
  before: Json | undefined,
  after: Json,
  schema: Schema | undefined,
): FieldSet {
  if (before === undefined) return fieldsOf(after, schema);
  const grain = grainOf(after, schema);
  if (grain === 'whole' || grain !== grainOf(before, schema))
    return same(before, after) ? noFields : leaf;
  const known = new Map([...parts(before, schema)].map((part) => [part.step, part.value]));
  return branch(
    false,
    [...parts(after, schema)].map(({ step, value, schema: its }) => {
      const earlier = known.get(step);
      const set = changedFields(earlier, value, its);
      const added = earlier === undefined && step.startsWith('k:');
      return [step, added ? { ...set, self: true } : set] as const;
    }),
  );
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  const children = new Map(a.children);
  for (const [step, child] of b.children) {
    const known = children.get(step);
    children.set(step, known === undefined ? child : union(known, child));
  }
  return { self: a.self || b.self, children };
}

export const difference = (a: FieldSet, b: FieldSet): FieldSet =>
  branch(
    a.self && !b.self,
    [...a.children].map(([step, child]) => [
      step,
      difference(child, b.children.get(step) ?? noFields),
    ]),
  );

export const intersection = (a: FieldSet, b: FieldSet): FieldSet =>
  branch(
    a.self && b.self,
    [...a.children].map(([step, child]) => [
      step,
      intersection(child, b.children.get(step) ?? noFields),
    ]),
  );

/** `.spec.ports[port=80,protocol="TCP"].nodePort`, as conflicts name them. */
export function pathsOf(set: FieldSet, path = ''): string[] {
  const here = set.self && path !== '' ? [path] : [];
  return [
    ...here,
    ...[...set.children].flatMap(([step, child]) => pathsOf(child, `${path}${shownStep(step)}`)),
  ];
}

function shownStep(step: string): string {
  const body = step.slice(2);
  if (step.startsWith('f:')) return `.${body}`;
  if (step.startsWith('v:')) return `[=${body}]`;
  const keys: Record<string, Json> = JSON.parse(body);
  const shown = Object.entries(keys).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return `[${shown.join(',')}]`;
}

/** To and from `fieldsV1`, where `.` stands for the place itself unless it is a leaf. */
export function toFieldsV1(set: FieldSet): JsonObject {
  const tree: JsonObject = {};
  if (set.self && set.children.size > 0) tree['.'] = {};
  for (const [step, child] of [...set.children].sort(([a], [b]) => (a < b ? -1 : 1))) {
    tree[step] = toFieldsV1(child);
  }
  return tree;
}

export function fromFieldsV1(tree: Json | undefined): FieldSet {
  const entries = isObject(tree) ? Object.entries(tree) : [];
  if (entries.length === 0) return leaf;
  return {
    self: entries.some(([step]) => step === '.'),
    children: new Map(
      entries.filter(([step]) => step !== '.').map(([step, child]) => [step, fromFieldsV1(child)]),
    ),
  };
}
