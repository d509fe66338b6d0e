import { at, parseJson, textAt } from '../json.ts';
import { badRequest, expired, fromTheFuture, notFound } from '../refusal.ts';
import { collectionOf, keyOf, namespaceOf, type Resource, type Stored } from '../resource.ts';
import {
  type FieldTerm,
  matchesFields,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
  type Requirement,
} from '../selectors.ts';
import type { Store } from '../store.ts';

/** Which objects a list, watch or deletecollection is about. */
export type Selection = {
  readonly resource: Resource;
  readonly namespace: string;
  readonly labels: readonly Requirement[];
  readonly fields: readonly FieldTerm[];
};

export function readSelection(
  query: URLSearchParams,
  { resource, namespace, name }: { resource: Resource; namespace: string; name: string },
): Selection {
  const fields = parseFieldSelector(query.get('fieldSelector') ?? '', resource.fields);
  const named = name === '' ? [] : [{ field: 'metadata.name', value: name, equal: true }];
  return {
    resource,
    namespace,
    labels: parseLabelSelector(query.get('labelSelector') ?? ''),
    fields: [...fields, ...named],
  };
}

export const isSelected = (object: Stored, { labels, fields }: Selection): boolean =>
  (labels.length === 0 || matchesLabels(object, labels)) &&
  (fields.length === 0 || matchesFields(object, fields));

/** A revision from a query; undefined when it is not given or is "any". */
export function readRevision(text: string | null): number | undefined {
  if (text === null || text === '' || text === '0') return undefined;
  if (!/^[1-9]\d{0,15}$/.test(text)) {
    throw badRequest(`invalid resource version: ${JSON.stringify(text)} is not a number`);
  }
  return Number(text);
}

type Page = {
  readonly objects: readonly Stored[];
  readonly revision: number;
  readonly next: string;
  readonly remaining: number | undefined;
};

/** One page of a list: all pages show the state at the revision of the first. */
export function readPage(store: Store, selection: Selection, query: URLSearchParams): Page {
  const { resource, namespace } = selection;
  const limit = readLimit(query.get('limit'));
  const from = readContinue(query.get('continue'));
  const wanted = readRevision(query.get('resourceVersion'));
  if (from !== undefined && wanted !== undefined) {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  if (wanted !== undefined && wanted > store.revision) throw fromTheFuture(wanted, store.revision);
  const exact = query.get('resourceVersionMatch') === 'Exact' ? wanted : undefined;
  const revision = from?.revision ?? exact ?? store.revision;
  const all = store.valuesAt(revision, collectionOf(resource), namespace, from?.after);
  if (all === undefined) {
    throw expired(
      from === undefined
        ? `The resourceVersion for the provided list is too old.`
        : 'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
    );
  }
  const objects: Stored[] = [];
  let more = 0;
  for (const object of all) {
    if (!isSelected(object, selection)) continue;
    if (objects.length < limit) objects.push(object);
    else more += 1;
  }
  const last = objects.at(-1);
  const next = more === 0 || last === undefined ? '' : writeContinue(revision, last);
  // As the real server, which cannot count what a selector would leave.
  const counted = next !== '' && selection.labels.length + selection.fields.length === 0;
  return { objects, revision, next, remaining: counted ? more : undefined };
}

function readLimit(text: string | null): number {
  if (text === null || text === '' || text === '0') return Infinity;
  if (!/^-?\d{1,9}$/.test(text)) throw badRequest(`limit: ${JSON.stringify(text)} is not a number`);
  return Number(text) < 0 ? Infinity : Number(text);
}

function writeContinue(revision: number, last: Stored): string {
  const start = keyOf(namespaceOf(last), last.metadata.name);
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start })).toString(
    'base64url',
  );
}

function readContinue(token: string | null): { revision: number; after: string } | undefined {
  if (token === null || token === '') return undefined;
  const parsed = parseJson(Buffer.from(token, 'base64url').toString()) ?? null;
  const revision = at(parsed, 'rv');
  const after = textAt(parsed, 'start');
  if (typeof revision !== 'number' || after === '') {
    throw badRequest(
      `continue key is not valid: ${JSON.stringify(token)} was not given out by this server`,
    );
  }
  return { revision, after };
}

export function readOne(
  store: Store,
  { resource, namespace, name }: { resource: Resource; namespace: string; name: string },
): Stored {
  const found = store.get(collectionOf(resource), keyOf(namespace, name));
  if (found === undefined) throw notFound(resource, name);
  return found;
}
