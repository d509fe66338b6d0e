import { ageColumn, column, field, since } from '../columns.ts';
import { listAt, objectAt, textAt, isObject, type JsonObject } from '../json.ts';
import { labelFault } from '../names.ts';
import type { Column, Resource } from '../resource.ts';
import {
  anything,
  integer,
  keyedList,
  listOf,
  mapOf,
  record,
  setOf,
  text,
  time,
  yesNo,
} from '../schema/schema.ts';
import { builtIn } from './built-in.ts';
import { conditions, objectReference } from './shapes.ts';

const count = (object: JsonObject, ...paths: readonly string[]): number =>
  paths.reduce((sum, path) => sum + Object.keys(objectAt(object, path)).length, 0);

const namespace = builtIn({
  kind: 'Namespace',
  plural: 'namespaces',
  shortNames: ['ns'],
  clusterScoped: true,
  description: 'A scope for names.',
  fields: {
    spec: record('What is wanted.', {
      finalizers: listOf('Who must agree before it goes.', { type: 'string' }),
    }),
    status: record('What is.', {
      phase: text('Active or Terminating.'),
      conditions: conditions('How its end is going.'),
    }),
  },
  columns: [field('Status', ['status', 'phase'])],
  selectable: ['status.phase'],
  hasStatus: true,
  strategy: {
    nameFault: labelFault,
    prepare: (draft, before) => {
      if (before === undefined) draft['status'] = { phase: 'Active' };
      draft['spec'] = before?.['spec'] ?? { finalizers: ['kubernetes'] };
      const metadata = objectAt(draft, 'metadata');
      const name = textAt(metadata, 'name');
      metadata['labels'] = { ...objectAt(metadata, 'labels'), 'kubernetes.io/metadata.name': name };
    },
  },
});

const configMap = builtIn({
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  description: 'Configuration for pods.',
  fields: {
    data: mapOf('Texts by key.', { type: 'string' }),
    binaryData: mapOf('Bytes by key.', { type: 'string', format: 'byte' }),
    immutable: yesNo('Whether the content is final.'),
  },
  columns: [column('Data', (object) => count(object, 'data', 'binaryData'))],
});

const secret = builtIn({
  kind: 'Secret',
  plural: 'secrets',
  description: 'Content that only some may read.',
  fields: {
    data: mapOf('Bytes by key, in base64.', { type: 'string', format: 'byte' }),
    stringData: mapOf('Texts by key: written into data, never shown.', { type: 'string' }),
    type: text('What the secret is for.'),
    immutable: yesNo('Whether the content is final.'),
  },
  columns: [field('Type', ['type']), column('Data', (object) => count(object, 'data'))],
  selectable: ['type'],
  strategy: {
    defaults: (draft) => {
      draft['type'] ??= 'Opaque';
      const texts = Object.entries(objectAt(draft, 'stringData'));
      delete draft['stringData'];
      if (texts.length === 0) return;
      const bytes = texts.map(([key, value]) => [
        key,
        Buffer.from(String(value)).toString('base64'),
      ]);
      draft['data'] = { ...objectAt(draft, 'data'), ...Object.fromEntries(bytes) };
    },
  },
});

const serviceAccount = builtIn({
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  shortNames: ['sa'],
  description: 'An identity for programs.',
  fields: {
    secrets: keyedList('Secrets it may use.', ['name'], objectReference('One secret.')),
    imagePullSecrets: listOf(
      'Secrets to pull images with.',
      record('One.', { name: text('Its name.') }),
    ),
    automountServiceAccountToken: yesNo('Whether pods get its token.'),
  },
  columns: [column('Secrets', (object) => listAt(object, 'secrets').length)],
});

const endpointAddress = record('One address.', {
  ip: text('The address.'),
  hostname: text('Its host name.'),
  nodeName: text('The node it is on.'),
  targetRef: objectReference('The pod behind it.'),
});

const endpoints = builtIn({
  kind: 'Endpoints',
  plural: 'endpoints',
  shortNames: ['ep'],
  description: 'Addresses behind a Service; EndpointSlice is its successor.',
  fields: {
    subsets: listOf(
      'Addresses with their ports.',
      record('One subset.', {
        addresses: listOf('Those that are ready.', endpointAddress),
        notReadyAddresses: listOf('Those that are not.', endpointAddress),
        ports: listOf(
          'Their ports.',
          record('One port.', {
            name: text('Its name.'),
            port: integer('Its number.'),
            protocol: text('TCP, UDP or SCTP.', { default: 'TCP' }),
            appProtocol: text('The protocol on top.'),
          }),
        ),
      }),
    ),
  },
  columns: [
    column('Endpoints', (object) => {
      const all = listAt(object, 'subsets').flatMap((subset) =>
        listAt(subset, 'addresses').map((address) => textAt(address, 'ip')),
      );
      return all.length === 0 ? '<none>' : all.slice(0, 3).join(',');
    }),
  ],
});

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

const event = builtIn({
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
    eventTime: text('When it happened.'),
    count: integer('How often it happened.'),
    series: record('Its repetitions.', {
      count: integer('How many.'),
      lastObservedTime: text('The last one.'),
    }),
  },
  table: eventTable,
  selectable: [
    ...['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
      (name) => `involvedObject.${name}`,
    ),
    ...['reason', 'reportingComponent', 'source', 'type'],
  ],
  createOnUpdate: true,
});

const ready = (object: JsonObject): string => {
  const found = listAt(object, 'status', 'conditions').find(
    (item) => isObject(item) && item['type'] === 'Ready',
  );
  const status = textAt(found, 'status');
  const known = status === 'True' ? 'Ready' : status === '' ? 'Unknown' : 'NotReady';
  return object['spec'] !== undefined && objectAt(object, 'spec')['unschedulable'] === true
    ? `${known},SchedulingDisabled`
    : known;
};
const rolePrefix = 'node-role.kubernetes.io/';
const roles = (object: JsonObject): string =>
  Object.keys(objectAt(object, 'metadata', 'labels'))
    .filter((label) => label.startsWith(rolePrefix))
    .map((label) => label.slice(rolePrefix.length))
    .sort()
    .join(',') || '<none>';
const addressOf = (object: JsonObject, type: string): string =>
  textAt(
    listAt(object, 'status', 'addresses').find((item) => isObject(item) && item['type'] === type),
    'address',
  ) || '<none>';
const nodeInfo = (key: string) => (object: JsonObject) =>
  textAt(object, 'status', 'nodeInfo', key) || '<unknown>';

const node = builtIn({
  kind: 'Node',
  hasStatus: true,
  plural: 'nodes',
  shortNames: ['no'],
  clusterScoped: true,
  description: 'A machine of the cluster.',
  fields: {
    spec: record('What is wanted of it.', {
      podCIDR: text('The range of its pods.'),
      podCIDRs: setOf('The ranges of its pods.', { type: 'string' }),
      providerID: text('Its name at the provider.'),
      unschedulable: yesNo('Whether it takes no new pods.'),
      taints: listOf(
        'What keeps pods away.',
        record('One taint.', {
          key: text('Its key.'),
          value: text('Its value.'),
          effect: text('NoSchedule, PreferNoSchedule or NoExecute.'),
          timeAdded: time('When it was added.'),
        }),
      ),
      externalID: text('No longer used.'),
      configSource: anything('No longer used.'),
    }),
    status: {
      ...record('What is known of it.', {
        conditions: conditions('Whether it is well.'),
        addresses: keyedList(
          'Its addresses.',
          ['type'],
          record('One address.', {
            type: text('InternalIP, Hostname …'),
            address: text('The address.'),
          }),
        ),
      }),
      'x-kubernetes-preserve-unknown-fields': true,
    },
  },
  table: [
    { ...field('Name', ['metadata', 'name']), format: 'name' },
    column('Status', ready),
    column('Roles', roles),
    ageColumn,
    column('Version', (object) => textAt(object, 'status', 'nodeInfo', 'kubeletVersion')),
    column('Internal-IP', (object) => addressOf(object, 'InternalIP'), true),
    column('External-IP', (object) => addressOf(object, 'ExternalIP'), true),
    column('OS-Image', nodeInfo('osImage'), true),
    column('Kernel-Version', nodeInfo('kernelVersion'), true),
    column('Container-Runtime', nodeInfo('containerRuntimeVersion'), true),
  ],
  selectable: ['spec.unschedulable'],
});

export const coreKinds: readonly Resource[] = [
  namespace,
  node,
  event,
  configMap,
  secret,
  serviceAccount,
  endpoints,
];
