import type { KubeObject } from './object.ts';
import { ApiError } from './transport.ts';

/** One line of a watch. */
export type WatchEvent =
  | { readonly kind: 'put' | 'remove'; readonly object: KubeObject; readonly version: string }
  | { readonly kind: 'bookmark'; readonly version: string }
  | { readonly kind: 'error'; readonly error: ApiError };

/** `undefined` for what is no watch event. */
export function parseWatchEvent(line: unknown): WatchEvent | undefined {
  if (!isRecord(line) || !isRecord(line['object'])) return undefined;
  const { type, object } = line;
  if (type === 'ERROR') return { kind: 'error', error: errorFrom(object) };
  const version = isRecord(object['metadata']) ? object['metadata']['resourceVersion'] : undefined;
  if (typeof version !== 'string' || version === '') return undefined;
  if (type === 'BOOKMARK') return { kind: 'bookmark', version };
  if (!isKubeObject(object)) return undefined;
  if (type === 'ADDED' || type === 'MODIFIED') return { kind: 'put', object, version };
  return type === 'DELETED' ? { kind: 'remove', object, version } : undefined;
}

type Page = {
  readonly items: readonly KubeObject[];
  readonly version: string;
  readonly next: string | undefined;
};

/** One page of a list; `undefined` for what is none. An item that is no object spoils its page. */
export function parsePage(answer: unknown): Page | undefined {
  if (!isRecord(answer) || !isRecord(answer['metadata'])) return undefined;
  const { resourceVersion: version, continue: next } = answer['metadata'];
  // Go writes an empty slice as null.
  const items = answer['items'] ?? [];
  if (typeof version !== 'string' || !Array.isArray(items) || !items.every(isKubeObject))
    return undefined;
  return { items, version, next: typeof next === 'string' && next !== '' ? next : undefined };
}

/** The version this watch stood at is no longer there; only a new list helps. */
export function isExpired(error: unknown): boolean {
  return error instanceof ApiError && (error.code === 410 || error.reason === 'Expired');
}

/** The server does not know the version yet: it came back from a backup, or another one answers. */
export function isFromTheFuture(error: unknown): boolean {
  return error instanceof ApiError && /too large resource version/i.test(error.message);
}

/** Resource versions are compared as numbers where they are numbers (KEP-5504), and not at all otherwise. */
export function isOlder(version: string, than: string): boolean {
  const decimal = /^\d+$/;
  return decimal.test(version) && decimal.test(than) && BigInt(version) < BigInt(than);
}

function errorFrom(status: Readonly<Record<string, unknown>>): ApiError {
  const { code, reason, message } = status;
  const known = typeof reason === 'string' ? reason : 'Unknown';
  const said = typeof message === 'string' ? message : 'no message';
  return new ApiError(typeof code === 'number' ? code : 500, known, `the watch ended: ${said}`);
}

function isKubeObject(value: unknown): value is KubeObject {
  if (!isRecord(value) || !isRecord(value['metadata'])) return false;
  const { name } = value['metadata'];
  return typeof name === 'string' && name !== '';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
