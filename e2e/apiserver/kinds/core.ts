import { column, field } from '../columns.ts';
import { asText, listAt, objectAt, textAt, type JsonObject } from '../json.ts';
import { labelFault } from '../names.ts';
import type { Resource } from '../resource.ts';
import { integer, keyedList, listOf, mapOf, record, text, yesNo } from '../schema/schema.ts';
import { builtIn } from './built-in.ts';
import { eventKind } from './event.ts';
import { nodeKind } from './node.ts';
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
        Buffer.from(asText(value)).toString('base64'),
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

export const coreKinds: readonly Resource[] = [
  namespace,
  nodeKind,
  eventKind,
  configMap,
  secret,
  serviceAccount,
  endpoints,
];
