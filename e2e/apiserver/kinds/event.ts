import { column, field, since } from '../columns.ts';
import { type JsonObject, textAt } from '../json.ts';
import { type Cause, invalidValue } from '../field-fault.ts';
import type { Column } from '../resource.ts';
import { integer, microTime, record, text, time } from '../schema/schema.ts';
import { builtIn } from './built-in.ts';
import { objectReference } from './shapes.ts';

const lastSeen = (object: JsonObject): string =>
  textAt(object, 'series', 'lastObservedTime') ||
  textAt(object, 'lastTimestamp') ||
  textAt(object, 'eventTime') ||
  textAt(object, 'metadata', 'creationTimestamp');

const eventTable: readonly Column[] = [
  column('Last Seen', (object, { now }) => since(lastSeen(object), now)),
  field('Type', ['type']),
  field('Reason', ['reason']),
  column('Object', ({ involvedObject }) => {
    const kind = textAt(involvedObject, 'kind').toLowerCase();
    return `${kind}/${textAt(involvedObject, 'name')}`;
  }),
  field('Subobject', ['involvedObject', 'fieldPath'], true),
  column(
    'Source',
    (object) => {
      const host = textAt(object, 'source', 'host') || textAt(object, 'reportingInstance');
      const from = textAt(object, 'source', 'component') || textAt(object, 'reportingComponent');
      return host === '' ? from : `${from}, ${host}`;
    },
    true,
  ),
  column('Message', (object) => textAt(object, 'message').trim()),
  column(
    'First Seen',
    (object, { now }) => since(textAt(object, 'firstTimestamp') || lastSeen(object), now),
    true,
  ),
  column('Count', (object) => (typeof object['count'] === 'number' ? object['count'] : 1), true),
  { ...field('Name', ['metadata', 'name'], true), format: 'name' },
];

export const eventKind = builtIn({
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  description: 'Something that happened to an object.',
  fields: {
    involvedObject: objectReference('What it happened to.'),
    related: objectReference('What else is concerned.'),
    type: text('Normal or Warning.'),
    reason: text('What happened, in one word.'),
    message: text('What happened, for a person.'),
    action: text('What was done.'),
    source: record('Who reports it.', { component: text('The program.'), host: text('Its node.') }),
    reportingComponent: text('The program that reports it.', { default: '' }),
    reportingInstance: text('The instance of the program.', { default: '' }),
    firstTimestamp: time('When it first happened.'),
    lastTimestamp: time('When it last happened.'),
    eventTime: microTime('When it happened.'),
    count: integer('How often it happened.'),
    series: record('Its repetitions.', {
      count: integer('How many.'),
      lastObservedTime: microTime('The last one.'),
    }),
  },
  table: eventTable,
  selectable: [
    ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
      (name) => `involvedObject.${name}`,
    ),
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  strategy: { validate: eventFaults },
  createOnUpdate: true,
});

/** An event lies beside what it is about; one about something without a namespace, in a namespace of the system. */
function eventFaults(draft: JsonObject): Cause[] {
  const namespace = textAt(draft, 'metadata', 'namespace');
  const about = textAt(draft, 'involvedObject', 'namespace');
  const fits = about === '' ? ['default', 'kube-system'].includes(namespace) : about === namespace;
  const why = 'does not match event.namespace';
  return fits ? [] : [invalidValue('involvedObject.namespace', about, why)];
}
