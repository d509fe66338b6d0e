import type { Client } from './contract-client.ts';
import { type Json, type JsonObject, objectAt, textAt } from './json.ts';

/** Where one part of the contract is tried: a namespace of its own on the server. */
export type Ground = { readonly client: Client; readonly namespace: string };

export const configMap = (name: string, more: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  ...more,
  metadata: { name, ...objectAt(more, 'metadata') },
});

export const nameOf = (object: Json): string => textAt(object, 'metadata', 'name');
export const versionOf = (object: JsonObject): string =>
  textAt(object, 'metadata', 'resourceVersion');
