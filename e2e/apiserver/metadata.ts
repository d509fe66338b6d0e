import { forbiddenValue, invalidValue, requiredValue } from './field-fault.ts';
import { ensureObject, isObject, type JsonObject, listAt, same, textAt } from './json.ts';
import { finalizerFaults, freshUid, generatedName, metadataFaults } from './names.ts';
import type { Cause } from './field-fault.ts';
import { badRequest, conflict, invalid } from './refusal.ts';
import type { Resource, Stored } from './resource.ts';

/** Kubernetes times have whole seconds. */
export const timestamp = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;

type Place = { readonly resource: Resource; readonly namespace: string; readonly name: string };

/** The name and namespace of a body must be those of the URL, where it names any. */
export function checkPlace(draft: JsonObject, { resource, namespace, name }: Place): void {
  if (draft['metadata'] !== undefined && !isObject(draft['metadata'])) {
    throw badRequest('metadata is not an object');
  }
  const metadata = ensureObject(draft, 'metadata');
  const given = textAt(metadata, 'namespace');
  if (resource.namespaced) {
    if (given !== '' && given !== namespace) {
      throw badRequest(
        'the namespace of the provided object does not match the namespace sent on the request',
      );
    }
    metadata['namespace'] = namespace;
  } else {
    delete metadata['namespace'];
  }
  const called = textAt(metadata, 'name');
  if (name !== '' && called !== '' && called !== name) {
    throw badRequest(
      `the name of the object (${called}) does not match the name on the URL (${name})`,
    );
  }
  if (name !== '') metadata['name'] = name;
}

/** What the server decides about a new object. */
export function stampNew(
  draft: JsonObject,
  { resource, now, random }: { resource: Resource; now: Date; random: () => number },
): void {
  const metadata = ensureObject(draft, 'metadata');
  if (textAt(metadata, 'resourceVersion') !== '') {
    throw badRequest('resourceVersion should not be set on objects to be created');
  }
  const prefix = textAt(metadata, 'generateName');
  if (textAt(metadata, 'name') === '' && prefix !== '') {
    metadata['name'] = generatedName(prefix, random);
  }
  for (const key of [
    'resourceVersion',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'selfLink',
  ]) {
    delete metadata[key];
  }
  metadata['uid'] = freshUid(random);
  metadata['creationTimestamp'] = timestamp(now);
  if (resource.hasGeneration) metadata['generation'] = 1;
  else delete metadata['generation'];
}

/** Refuses an update that was made from another state or of another object than the current one. */
export function checkVersion(
  draft: JsonObject,
  current: Stored,
  { resource, isPatch }: { resource: Resource; isPatch: boolean },
): void {
  const { name, uid, resourceVersion } = current.metadata;
  const givenUid = textAt(draft, 'metadata', 'uid');
  if (givenUid !== '' && givenUid !== uid && isPatch) {
    const fault = invalidValue('metadata.uid', givenUid, 'field is immutable');
    throw invalid(resource, name, [fault]);
  }
  if (givenUid !== '' && givenUid !== uid) {
    throw conflict(
      resource,
      name,
      `StorageError: invalid object, Code: 4, Precondition failed: UID in precondition: ${givenUid}, UID in object meta: ${uid}`,
    );
  }
  const given = textAt(draft, 'metadata', 'resourceVersion');
  if (given !== '' && given !== resourceVersion) throw conflict(resource, name);
  if (given === '' && !isPatch && !resource.unconditionalUpdate) {
    throw invalid(resource, name, [
      invalidValue('metadata.resourceVersion', 0, 'must be specified for an update'),
    ]);
  }
}

/** Puts back what no client may change, and counts a change of the desired state. */
export function keepIdentity(draft: JsonObject, current: Stored, resource: Resource): void {
  const metadata = ensureObject(draft, 'metadata');
  for (const key of [
    'name',
    'namespace',
    'generateName',
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'resourceVersion',
  ]) {
    const kept = current.metadata[key];
    if (kept === undefined) delete metadata[key];
    else metadata[key] = kept;
  }
  delete metadata['selfLink'];
  dropEmptyMaps(metadata);
  if (resource.hasGeneration && !same(desired(draft, resource), desired(current, resource))) {
    const generation = metadata['generation'];
    metadata['generation'] = (typeof generation === 'number' ? generation : 0) + 1;
  }
}

/** Go writes no empty labels, annotations, finalizers and owners. */
export function dropEmptyMaps(metadata: JsonObject): void {
  for (const key of ['labels', 'annotations']) {
    const value = metadata[key];
    if (isObject(value) && Object.keys(value).length === 0) delete metadata[key];
  }
  for (const key of ['finalizers', 'ownerReferences']) {
    const value = metadata[key];
    if (Array.isArray(value) && value.length === 0) delete metadata[key];
  }
}

/** Everything that says what is wanted: not the metadata, and not the status where that is separate. */
function desired(object: JsonObject, resource: Resource): JsonObject {
  const { metadata: _, status, ...rest } = object;
  return resource.hasStatus || status === undefined ? rest : { ...rest, status };
}

export function identityFaults(
  draft: JsonObject,
  current: Stored | undefined,
  resource: Resource,
): Cause[] {
  const name = textAt(draft, 'metadata', 'name');
  if (current === undefined && name === '') {
    return [requiredValue('metadata.name', 'name or generateName is required')];
  }
  const why = resource.strategy.nameFault(name);
  const faults =
    why === undefined || current !== undefined ? [] : [invalidValue('metadata.name', name, why)];
  faults.push(...metadataFaults(draft));
  if (!resource.custom) faults.push(...finalizerFaults(draft));
  if (current?.metadata['deletionTimestamp'] !== undefined) {
    const known = listAt(current, 'metadata', 'finalizers');
    const added = listAt(draft, 'metadata', 'finalizers').filter((item) => !known.includes(item));
    if (added.length > 0) {
      const list = added.map((item) => JSON.stringify(item)).join(', ');
      faults.push(
        forbiddenValue(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`,
        ),
      );
    }
  }
  return faults;
}

/** What a delete may insist on; '' is nothing. */
export type Preconditions = { readonly uid: string; readonly resourceVersion: string };

export function checkPreconditions(
  resource: Resource,
  current: Stored,
  wanted: Preconditions | undefined,
) {
  const { name, uid, resourceVersion } = current.metadata;
  const differs = (what: string, given: string, found: string): void => {
    if (given === '' || given === found) return;
    throw conflict(
      resource,
      name,
      `Precondition failed: ${what} in precondition: ${given}, ${what} in object meta: ${found}`,
    );
  };
  differs('UID', wanted?.uid ?? '', uid);
  differs('ResourceVersion', wanted?.resourceVersion ?? '', resourceVersion);
}
