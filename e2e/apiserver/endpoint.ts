import { clone, type JsonObject, listAt, objectAt, same } from './json.ts';
import type { Resource, Stored } from './resource.ts';

/** How a draft came to be: a whole object (PUT), a patch of what is there, or an applied one. */
export type Manner = 'put' | 'patch' | 'apply';

/** Lets through only what the endpoint writes. */
export function restrict(
  draft: JsonObject,
  current: Stored,
  {
    resource,
    subresource,
    manner,
  }: { resource: Resource; subresource: '' | 'status'; manner: Manner },
): JsonObject {
  const metadata = { ...objectAt(draft, 'metadata') };
  // A client may hand ownership on by writing it (kubectl does, when it changes to server-side
  // apply) or give all of it up with one empty entry; leaving it out changes nothing.
  if (manner !== 'apply' && listAt(metadata, 'managedFields').length === 0) {
    const kept = current.metadata['managedFields'];
    if (kept === undefined) delete metadata['managedFields'];
    else metadata['managedFields'] = kept;
  }
  if (same(metadata['managedFields'], [{}])) delete metadata['managedFields'];
  if (subresource === 'status') {
    // A custom resource's status endpoint takes no metadata, those of the built-in kinds do.
    const { managedFields } = metadata;
    const own: JsonObject = { ...current.metadata };
    if (managedFields !== undefined) own['managedFields'] = managedFields;
    const status = draft['status'];
    const rest: JsonObject = { ...current, metadata: resource.custom ? own : metadata };
    if (status === undefined) delete rest['status'];
    else rest['status'] = clone(status);
    return clone(rest);
  }
  const whole: JsonObject = { ...draft, metadata };
  if (resource.hasStatus) {
    const status = current['status'];
    if (status === undefined) delete whole['status'];
    else whole['status'] = clone(status);
  }
  return whole;
}
