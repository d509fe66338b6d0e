import { ensureObject, isObject, type Json, type JsonObject, listAt, textAt } from '../json.ts';
import type { Schema } from '../schema/schema.ts';
import {
  changedFields,
  difference,
  type FieldSet,
  fieldsOf,
  fromFieldsV1,
  isEmpty,
  noFields,
  toFieldsV1,
  union,
} from './field-set.ts';

/** Who owns which fields: one entry of metadata.managedFields. */
export type Ownership = {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string;
  readonly fields: FieldSet;
};

export type Writer = Omit<Ownership, 'fields'>;

export const isSameWriter = (a: Writer, b: Writer): boolean =>
  a.manager === b.manager &&
  a.operation === b.operation &&
  a.subresource === b.subresource &&
  a.apiVersion === b.apiVersion;

export const readOwnerships = (object: Json | undefined): Ownership[] =>
  listAt(object, 'metadata', 'managedFields')
    .filter(isObject)
    .map((entry) => ({
      manager: textAt(entry, 'manager'),
      operation: textAt(entry, 'operation') === 'Apply' ? 'Apply' : 'Update',
      apiVersion: textAt(entry, 'apiVersion'),
      subresource: textAt(entry, 'subresource'),
      time: textAt(entry, 'time'),
      fields: fromFieldsV1(entry['fieldsV1']),
    }));

export function writeOwnerships(draft: JsonObject, ownerships: readonly Ownership[]): void {
  const metadata = ensureObject(draft, 'metadata');
  const entries = ownerships.filter(({ fields }) => !isEmpty(fields));
  if (entries.length === 0) {
    delete metadata['managedFields'];
    return;
  }
  metadata['managedFields'] = entries.map((entry) => ({
    manager: entry.manager,
    operation: entry.operation,
    apiVersion: entry.apiVersion,
    time: entry.time,
    fieldsType: 'FieldsV1',
    fieldsV1: toFieldsV1(entry.fields),
    ...(entry.subresource === '' ? {} : { subresource: entry.subresource }),
  }));
}

/** What the server or the address of the object decides is nobody's field. */
const unowned = fromFieldsV1({
  'f:apiVersion': {},
  'f:kind': {},
  'f:metadata': {
    'f:name': {},
    'f:namespace': {},
    'f:generateName': {},
    'f:uid': {},
    'f:selfLink': {},
    'f:creationTimestamp': {},
    'f:deletionTimestamp': {},
    'f:deletionGracePeriodSeconds': {},
    'f:generation': {},
    'f:resourceVersion': {},
    'f:managedFields': {},
  },
});

const withoutBookkeeping = (object: JsonObject): JsonObject => {
  const { managedFields: _, ...metadata } = isObject(object['metadata']) ? object['metadata'] : {};
  return { ...object, metadata };
};

export const ownableFields = (object: JsonObject, schema: Schema): FieldSet =>
  difference(fieldsOf(withoutBookkeeping(object), schema), unowned);

/** Enters a write that is no apply: who changes a field owns it alone from then on. */
export function trackUpdate(
  before: JsonObject | undefined,
  draft: JsonObject,
  { schema, writer }: { schema: Schema; writer: Writer },
): void {
  const earlier = before === undefined ? undefined : withoutBookkeeping(before);
  const changed = difference(changedFields(earlier, withoutBookkeeping(draft), schema), unowned);
  const gone =
    before === undefined
      ? noFields
      : difference(ownableFields(before, schema), ownableFields(draft, schema));
  const kept = readOwnerships(draft).map((entry) => ({
    ...entry,
    fields: difference(
      isSameWriter(entry, writer) ? entry.fields : difference(entry.fields, changed),
      gone,
    ),
  }));
  const own = kept.find((entry) => isSameWriter(entry, writer));
  const mine = { ...writer, fields: union(own?.fields ?? noFields, changed) };
  const changedNothingOfMine = isEmpty(changed) && own !== undefined;
  writeOwnerships(draft, [
    ...kept.filter((entry) => entry !== own),
    changedNothingOfMine ? { ...mine, time: own.time } : mine,
  ]);
}
