import { clone, isObject, type Json, type JsonObject } from '../json.ts';
import { Refusal } from '../refusal.ts';
import { fieldSchema, type Schema } from '../schema/schema.ts';
import {
  changedFields,
  difference,
  type FieldSet,
  fromFieldsV1,
  grainOf,
  intersection,
  isEmpty,
  noFields,
  parts,
  pathsOf,
  union,
} from './field-set.ts';
import {
  isSameWriter,
  ownableFields,
  type Ownership,
  readOwnerships,
  type Writer,
  writeOwnerships,
} from './managed-fields.ts';

/**
 * Server-side apply: the configuration is laid over the live object, what this manager applied before
 * and no longer does is taken out unless someone else owns it too, and a value that another manager
 * owns is a conflict (409) unless forced. `outside` are the fields this endpoint does not write.
 */
export function applyConfiguration(
  live: JsonObject | undefined,
  config: JsonObject,
  {
    schema,
    writer,
    force,
    outside,
  }: { schema: Schema; writer: Writer; force: boolean; outside: FieldSet },
): JsonObject {
  const ownerships = readOwnerships(live);
  const own = ownerships.find((entry) => isSameWriter(entry, writer));
  const others = ownerships.filter((entry) => entry !== own);
  const applied = difference(ownableFields(config, schema), outside);

  const draft = merge(live, taken(config, outside), schema);
  if (!isObject(draft)) throw new Error('laying a configuration over an object gave no object');
  const claimed = others.reduce((all, entry) => union(all, entry.fields), applied);
  removeFields(draft, schema, difference(own?.fields ?? noFields, claimed));

  const changed = difference(changedFields(live, draft, schema), outside);
  const contested = intersection(changed, applied);
  const conflicts = others
    .map((entry) => ({ entry, fields: intersection(entry.fields, contested) }))
    .filter(({ fields }) => !isEmpty(fields));
  if (conflicts.length > 0 && !force) throw applyConflict(conflicts);

  const gone =
    live === undefined
      ? noFields
      : difference(ownableFields(live, schema), ownableFields(draft, schema));
  const kept = others.map((entry) => ({
    ...entry,
    fields: difference(difference(entry.fields, contested), gone),
  }));
  const unchanged =
    own !== undefined && isEmpty(changed) && isEmpty(gone) && sameSet(own.fields, applied);
  const time = unchanged ? own.time : writer.time;
  writeOwnerships(draft, [...kept, { ...writer, time, fields: applied }]);
  return draft;
}

const sameSet = (a: FieldSet, b: FieldSet): boolean =>
  isEmpty(difference(a, b)) && isEmpty(difference(b, a));

/** Which top-level fields an endpoint leaves alone. */
export const outsideOf = (subresource: string, hasStatus: boolean): FieldSet =>
  subresource === 'status'
    ? fromFieldsV1({ 'f:spec': {}, 'f:metadata': {} })
    : hasStatus
      ? fromFieldsV1({ 'f:status': {} })
      : noFields;

/** The configuration without the top-level fields that this endpoint does not write. */
function taken(config: JsonObject, outside: FieldSet): JsonObject {
  const copy = clone(config);
  for (const step of outside.children.keys()) if (step !== 'f:metadata') delete copy[step.slice(2)];
  return copy;
}

function merge(live: Json | undefined, config: Json, schema: Schema | undefined): Json {
  const grain = grainOf(config, schema);
  if (live === undefined || grain === 'whole' || grainOf(live, schema) !== grain)
    return clone(config);
  if (isObject(live) && isObject(config)) {
    const merged = clone(live);
    for (const [key, value] of Object.entries(config)) {
      merged[key] = merge(live[key], value, fieldSchema(schema, key));
    }
    return merged;
  }
  // Keyed lists and sets: what is there keeps its place, what is new follows.
  const before = [...parts(live, schema)];
  const wanted = new Map([...parts(config, schema)].map((part) => [part.step, part.value]));
  const known = new Set(before.map(({ step }) => step));
  return [
    ...before.map(({ step, value, schema: its }) => {
      const inner = wanted.get(step);
      return inner === undefined ? clone(value) : merge(value, inner, its);
    }),
    ...[...wanted].filter(([step]) => !known.has(step)).map(([, value]) => clone(value)),
  ];
}

/** Takes fields out of a draft; what becomes empty by it goes too. */
function removeFields(value: Json, schema: Schema | undefined, gone: FieldSet): void {
  if (Array.isArray(value)) {
    const steps = [...parts(value, schema)].map(({ step }) => step);
    const keep = value.filter((item, index) => {
      const child = gone.children.get(steps[index] ?? '');
      if (child === undefined) return true;
      if (child.self) return false;
      removeFields(item, schema?.items, child);
      return true;
    });
    value.splice(0, value.length, ...keep);
  } else if (isObject(value)) {
    for (const [step, child] of gone.children) {
      const key = step.slice(2);
      const inner = value[key];
      if (inner === undefined) continue;
      removeFields(inner, fieldSchema(schema, key), child);
      if (child.self || holdsNothing(inner)) delete value[key];
    }
  }
}

const holdsNothing = (value: Json): boolean =>
  Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;

type Conflict = { readonly entry: Ownership; readonly fields: FieldSet };

function applyConflict(conflicts: readonly Conflict[]): Refusal {
  const causes = conflicts.flatMap(({ entry, fields }) =>
    pathsOf(fields).map((field) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with ${shownWriter(entry)}`,
      field,
    })),
  );
  const lines = conflicts.map(({ entry, fields }) => {
    const paths = pathsOf(fields);
    return paths.length === 1
      ? `conflict with ${shownWriter(entry)}: ${paths[0]}`
      : `conflicts with ${shownWriter(entry)}:\n${paths.map((path) => `- ${path}`).join('\n')}`;
  });
  const count = causes.length;
  return new Refusal({
    code: 409,
    reason: 'Conflict',
    message: `Apply failed with ${count} conflict${count === 1 ? '' : 's'}: ${lines.join('\n')}`,
    details: { causes },
  });
}

const shownWriter = ({ manager, operation, subresource, apiVersion }: Ownership): string => {
  const shown = `"${manager}"${subresource === '' ? '' : ` with subresource "${subresource}"`}`;
  return operation === 'Update' ? `${shown} using ${apiVersion}` : shown;
};
