import type { Clock } from '../../../daemon/clock.ts';
import { asVersion } from '../conversion.ts';
import { Refusal } from '../refusal.ts';
import { apiVersionOf, collectionOf, type Stored } from '../resource.ts';
import type { Store } from '../store.ts';
import type { WatchEvent } from '../watch-log.ts';
import type { Stream } from './answer.ts';
import { isSelected, readRevision, readSelection, type Selection } from './read.ts';
import { renderObject, type Show, textOf } from './render.ts';
import { isTrue } from './route.ts';

/** A client that leaves more than this unread has lost the watch. */
const longestBacklogBytes = 64 * 1024 * 1024;
/** A bookmark shortly before the end spares the client a list. */
const lastBookmarkMs = 2_000;

export type WatchOptions = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: () => number;
  readonly bookmarkMs: number;
  /** Aborts when the kind is no longer served. */
  readonly served: AbortSignal;
};

type Kind = 'ADDED' | 'MODIFIED' | 'DELETED';

/** Follows a collection from a revision on. Refuses with 410 what the log no longer holds. */
export function openWatch(
  show: Show & { namespace: string; name: string },
  query: URLSearchParams,
  options: WatchOptions,
): Stream {
  const { store, clock } = options;
  const selection = readSelection(query, show);
  const log = store.log(collectionOf(show.resource));
  const from = readRevision(query.get('resourceVersion'));
  const missed = from === undefined ? [] : log.since(from);
  const seconds = Number(query.get('timeoutSeconds') ?? '');
  // Without a wish the real server ends a watch after half an hour to an hour, so that load spreads.
  const timeoutMs = seconds > 0 ? seconds * 1_000 : (1 + options.random()) * 1_800_000;
  const bookmarks = isTrue(query.get('allowWatchBookmarks') ?? 'false');

  return {
    kind: 'stream',
    run: async (sink, signal) => {
      if (missed === undefined) {
        sink.write(errorLine(tooOld(from ?? 0, log.floor)));
        return;
      }
      const over = new AbortController();
      const ended = AbortSignal.any([signal, over.signal, options.served]);
      const lines = lineWriter(show, selection);
      const deliver = (event: WatchEvent): void => {
        if (from !== undefined && event.revision <= from) return;
        const line = lines(event);
        if (line !== undefined) sink.write(line);
        if (sink.backlog() > longestBacklogBytes) over.abort();
      };
      if (from === undefined) {
        for (const object of store.values(collectionOf(show.resource), show.namespace)) {
          if (isSelected(object, selection)) sink.write(eventLine('ADDED', object, show));
        }
      } else {
        // The log is read again: events may have come since the request was looked at.
        for (const event of log.since(from) ?? []) {
          if (show.namespace === '' || event.namespace === show.namespace) deliver(event);
        }
      }
      using _listening = log.listen(show.namespace, deliver);
      const bookmark = (): void => sink.write(bookmarkLine(store.revision, show));
      await pass(
        { clock, timeoutMs, bookmarkMs: options.bookmarkMs },
        bookmarks ? bookmark : undefined,
        ended,
      );
    },
  };
}

/** Waits for the end of the watch, with a bookmark now and then and one before the end. */
async function pass(
  { clock, timeoutMs, bookmarkMs }: { clock: Clock; timeoutMs: number; bookmarkMs: number },
  bookmark: (() => void) | undefined,
  signal: AbortSignal,
): Promise<void> {
  const end = clock.nowMs() + timeoutMs;
  const last = end - lastBookmarkMs;
  while (!signal.aborted && clock.nowMs() < end) {
    const left = (clock.nowMs() < last ? last : end) - clock.nowMs();
    const waitMs = bookmark === undefined ? end - clock.nowMs() : Math.min(bookmarkMs, left);
    try {
      await clock.sleep(Math.max(1, Math.min(waitMs, 2 ** 31 - 1)), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      return;
    }
    if (clock.nowMs() < end) bookmark?.();
  }
}

/**
 * What an event is to those who see only part of the collection: coming into sight is ADDED, going
 * out of it DELETED with the last state that was in it.
 */
function transition(
  event: WatchEvent,
  sees: (object: Stored) => boolean,
): { kind: Kind; object: Stored } | undefined {
  const { object, before, revision } = event;
  const saw = before !== undefined && sees(before);
  if (event.kind !== 'DELETED' && sees(object)) return { kind: saw ? 'MODIFIED' : 'ADDED', object };
  if (!saw) return undefined;
  if (event.kind === 'DELETED') return { kind: 'DELETED', object };
  const metadata = { ...before.metadata, resourceVersion: String(revision) };
  return { kind: 'DELETED', object: { ...before, metadata } };
}

const linesOf = new WeakMap<WatchEvent, Map<string, string>>();

/** Watchers that see the same of an event share its line. */
function lineWriter(show: Show, selection: Selection): (event: WatchEvent) => string | undefined {
  const everything = selection.labels.length + selection.fields.length === 0;
  const version = apiVersionOf(show.resource);
  return (event) => {
    const seen = everything
      ? { kind: event.kind, object: event.object }
      : transition(event, (object) => isSelected(object, selection));
    if (seen === undefined) return undefined;
    const shared = show.rendering === 'object' && seen.object === event.object;
    if (!shared) return eventLine(seen.kind, seen.object, show);
    const lines = linesOf.get(event) ?? new Map<string, string>();
    linesOf.set(event, lines);
    const key = `${seen.kind} ${version}`;
    const line = lines.get(key) ?? eventLine(seen.kind, seen.object, show);
    lines.set(key, line);
    return line;
  };
}

const eventLine = (kind: Kind, object: Stored, show: Show): string => {
  const text =
    show.rendering === 'object'
      ? textOf(asVersion(object, show.resource))
      : renderObject(object, show);
  return `{"type":"${kind}","object":${text}}\n`;
};

function bookmarkLine(revision: number, { resource, rendering }: Show): string {
  const metadata = { resourceVersion: String(revision), creationTimestamp: null };
  const object =
    rendering === 'table'
      ? {
          kind: 'Table',
          apiVersion: 'meta.k8s.io/v1',
          metadata: { resourceVersion: String(revision) },
          columnDefinitions: null,
          rows: [],
        }
      : { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata };
  return `${JSON.stringify({ type: 'BOOKMARK', object })}\n`;
}

const errorLine = (refusal: Refusal): string =>
  `${JSON.stringify({ type: 'ERROR', object: refusal.status })}\n`;

const tooOld = (asked: number, oldest: number): Refusal =>
  new Refusal({
    code: 410,
    reason: 'Expired',
    message: `too old resource version: ${asked} (${oldest})`,
  });
