import { createHash } from 'node:crypto';
import type { Event, KubeObject } from './object.ts';

/** What can be said about any object that knows its own kind. */
export type Subject = KubeObject & { readonly apiVersion: string; readonly kind: string };
export type Happening = Pick<Event, 'type' | 'reason' | 'message'>;
export type Reporter = { readonly component: string; readonly instance: string };

/** Validation refuses longer messages, and longer names. */
const messageBytes = 1_024;
const nameBytes = 253;

/** What is the same event said again: one object, type, reason and message. */
export function foldKey(about: Subject, { type, reason, message }: Happening): string {
  const { uid, namespace, name } = about.metadata;
  return JSON.stringify([about.kind, uid ?? `${namespace}/${name}`, type, reason, message]);
}

/**
 * The Event as it is first written. Its name follows from what it says, so that a restarted process finds the
 * Event of the one before and counts on.
 */
export function firstEvent(
  about: Subject,
  happening: Happening,
  { component, instance }: Reporter,
  wall: Date,
): Event {
  const { namespace, name, uid, resourceVersion } = about.metadata;
  const key = `${component} ${foldKey(about, happening)}`;
  const hash = createHash('sha256').update(key).digest('hex').slice(0, 16);
  const time = formatTime(wall);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `${name.slice(0, nameBytes - hash.length - 1)}.${hash}`,
      // Events about what has no namespace live in this one, as kubectl expects.
      namespace: namespace ?? 'default',
    },
    involvedObject: {
      apiVersion: about.apiVersion,
      kind: about.kind,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    type: happening.type,
    reason: happening.reason,
    message: shorten(happening.message),
    count: 1,
    firstTimestamp: time,
    lastTimestamp: time,
    source: { component, host: instance },
    reportingComponent: component,
    reportingInstance: instance,
  };
}

/** Kubernetes' Time: RFC 3339 without fractions. */
export function formatTime(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

function shorten(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= messageBytes) return message;
  // A character cut in half must not come out as another one.
  const cut = bytes.subarray(0, messageBytes - 3).toString('utf8');
  return `${cut.replace(/\uFFFD$/, '')}…`;
}
