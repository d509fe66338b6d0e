import { clone, isObject, type Json, type JsonObject, same } from '../json.ts';
import { badRequest } from '../refusal.ts';
import { fieldSchema, type Schema } from '../schema/schema.ts';

/**
 * Kubernetes' strategic merge patch: as RFC 7386, but lists with a merge key or of the `merge`
 * strategy are merged, and `$patch`, `$retainKeys`, `$deleteFromPrimitiveList/…` and
 * `$setElementOrder/…` direct how. The schema says which lists those are.
 */
export function strategicPatch(
  target: Json | undefined,
  patch: JsonObject,
  schema: Schema | undefined,
): Json {
  const directive = patch['$patch'];
  if (directive === 'replace') return clone(withoutDirectives(patch));
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge') {
    throw badRequest(
      `unknown $patch directive ${JSON.stringify(directive)}: use replace, delete or merge`,
    );
  }
  const merged: JsonObject = isObject(target) ? { ...target } : {};
  const retained = patch['$retainKeys'];
  if (Array.isArray(retained)) {
    for (const key of Object.keys(merged)) if (!retained.includes(key)) delete merged[key];
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue;
    if (value === null) delete merged[key];
    else merged[key] = patchField(merged[key], value, fieldSchema(schema, key));
  }
  for (const [key, value] of Object.entries(patch)) {
    const [directive, field] = key.split(/\/(.*)/s);
    if (field === undefined || !Array.isArray(value)) continue;
    const list = merged[field];
    if (directive === '$deleteFromPrimitiveList' && Array.isArray(list)) {
      merged[field] = list.filter((item) => !value.some((gone) => same(gone, item)));
    }
  }
  for (const [key, value] of Object.entries(patch)) {
    const [directive, field] = key.split(/\/(.*)/s);
    if (directive !== '$setElementOrder' || field === undefined || !Array.isArray(value)) continue;
    const list = merged[field];
    const mergeKey = fieldSchema(schema, field)?.['x-kubernetes-patch-merge-key'];
    if (Array.isArray(list)) merged[field] = ordered(list, value, mergeKey);
  }
  return merged;
}

function patchField(before: Json | undefined, patch: Json, schema: Schema | undefined): Json {
  if (isObject(patch)) return strategicPatch(before, patch, schema);
  if (!Array.isArray(patch) || schema?.['x-kubernetes-patch-strategy'] !== 'merge')
    return clone(patch);
  const mergeKey = schema['x-kubernetes-patch-merge-key'];
  const list = Array.isArray(before) ? before : [];
  if (mergeKey === undefined) {
    return [...list, ...patch.filter((item) => !list.some((known) => same(known, item)))];
  }
  return patchItems(list, patch, { mergeKey, item: schema.items });
}

function patchItems(
  before: readonly Json[],
  patch: readonly Json[],
  { mergeKey, item: schema }: { mergeKey: string; item: Schema | undefined },
): Json[] {
  const replaces = patch.some((item) => isObject(item) && item['$patch'] === 'replace');
  let items: Json[] = replaces ? [] : [...before];
  for (const change of patch) {
    if (!isObject(change)) throw badRequest(`a list merged by ${mergeKey} holds objects only`);
    if (change['$patch'] === 'replace' && change[mergeKey] === undefined) continue;
    const key = change[mergeKey];
    if (key === undefined) {
      throw badRequest(
        `map: ${JSON.stringify(change)} does not contain declared merge key: ${mergeKey}`,
      );
    }
    const isMeant = (item: Json): boolean => isObject(item) && same(item[mergeKey], key);
    if (change['$patch'] === 'delete') {
      items = items.filter((item) => !isMeant(item));
      continue;
    }
    const index = items.findIndex(isMeant);
    const merged = strategicPatch(items[index], change, schema);
    if (index === -1) items.push(merged);
    else items[index] = merged;
  }
  return items;
}

/** The listed ones in the order given; the rest keep their places behind those they followed. */
function ordered(
  list: readonly Json[],
  order: readonly Json[],
  mergeKey: string | undefined,
): Json[] {
  const identity = (item: Json): Json | undefined =>
    mergeKey !== undefined && isObject(item) ? item[mergeKey] : item;
  const wanted = order.flatMap((entry) =>
    list.filter((item) => same(identity(item), identity(entry))),
  );
  const placed = new Set(wanted);
  const result = [...wanted];
  for (const [index, item] of list.entries()) {
    if (placed.has(item)) continue;
    const previous = list[index - 1];
    const after = previous === undefined ? -1 : result.indexOf(previous);
    result.splice(after + 1, 0, item);
  }
  return result;
}

function withoutDirectives(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('$')));
}
