import { pathOf, type Kind } from './kinds.ts';
import type { KubeObject } from './object.ts';
import type { Transport } from './transport.ts';

/** One object, or a part of it. */
export type Target = {
  readonly kind: Kind;
  readonly namespace?: string | undefined;
  readonly name: string;
  readonly subresource?: 'status' | undefined;
};

/** Answers the object as stored. Throws `ApiError` 409 where one of that name exists. */
export async function create<T extends KubeObject>(
  transport: Transport,
  kind: Kind,
  object: T,
  signal?: AbortSignal,
): Promise<T> {
  const path = pathOf(kind, { namespace: object.metadata.namespace });
  return transport.call<T>({ method: 'POST', path, body: object }, signal);
}

/**
 * Changes the fields that `patch` names, `null` removing one (RFC 7386); lists are replaced whole. A
 * `metadata.resourceVersion` in it is a precondition: `ApiError` 409 where the object has changed since.
 */
export async function mergePatch<T = unknown>(
  transport: Transport,
  target: Target,
  patch: object,
  signal?: AbortSignal,
): Promise<T> {
  const contentType = 'application/merge-patch+json';
  const call = { method: 'PATCH', path: pathOf(target.kind, target), body: patch } as const;
  return transport.call<T>({ ...call, contentType }, signal);
}

/**
 * Server-side apply: `object` is all that `fieldManager` wants of it, other fields are others' business. `force`
 * takes over fields that somebody else applied, which is what a controller does with what it is there for.
 */
export async function apply<T extends KubeObject>(
  transport: Transport,
  target: Target,
  { object, fieldManager, force = true }: { object: T; fieldManager: string; force?: boolean },
  signal?: AbortSignal,
): Promise<T> {
  return transport.call<T>(
    {
      method: 'PATCH',
      path: pathOf(target.kind, target),
      query: { fieldManager, force },
      body: object,
      contentType: 'application/apply-patch+yaml',
    },
    signal,
  );
}

/**
 * Deletes this very object, not one that has taken its name since, and only in the form that was read: leave out its
 * resourceVersion where any will do. Throws `ApiError` 404 or 409.
 */
export async function remove(
  transport: Transport,
  kind: Kind,
  object: KubeObject,
  signal?: AbortSignal,
): Promise<void> {
  const { uid, resourceVersion } = object.metadata;
  const preconditions = { uid, resourceVersion };
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions };
  await transport.call({ method: 'DELETE', path: pathOf(kind, object.metadata), body }, signal);
}
