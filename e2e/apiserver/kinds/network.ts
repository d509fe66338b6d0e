import { column, field } from '../columns.ts';
import { asText, isObject, listAt, textAt } from '../json.ts';
import type { Resource } from '../resource.ts';
import { integer, listOf, mapOf, record, setOf, text, yesNo } from '../schema/schema.ts';
import { builtIn } from './built-in.ts';
import { objectReference } from './shapes.ts';

const endpoint = record('One backend.', {
  addresses: setOf('Its addresses, all of one family.', { type: 'string' }),
  conditions: record('How it is.', {
    ready: yesNo('Whether it takes new connections.'),
    serving: yesNo('Whether it serves, ending or not.'),
    terminating: yesNo('Whether it is ending.'),
  }),
  hostname: text('Its host name.'),
  targetRef: objectReference('The pod behind it.'),
  nodeName: text('The node it is on.'),
  zone: text('The zone it is in.'),
  deprecatedTopology: mapOf('No longer used.', { type: 'string' }),
  hints: record('Who should use it.', {
    forZones: listOf('Zones.', record('One zone.', { name: text('Its name.') })),
  }),
});

const shown = (items: readonly string[]): string =>
  items.length > 3
    ? `${items.slice(0, 3).join(',')} + ${items.length - 3} more...`
    : items.join(',') || '<unset>';

const endpointSlice = builtIn({
  group: 'discovery.k8s.io',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  description: 'Some of the backends of a Service.',
  fields: {
    addressType: text('IPv4, IPv6 or FQDN.', { enum: ['IPv4', 'IPv6', 'FQDN'] }),
    endpoints: listOf('The backends.', endpoint),
    ports: listOf(
      'Their ports.',
      record('One port.', {
        name: text('Its name.', { default: '' }),
        protocol: text('TCP, UDP or SCTP.', { default: 'TCP' }),
        port: integer('Its number.'),
        appProtocol: text('The protocol on top.'),
      }),
    ),
  },
  columns: [
    field('AddressType', ['addressType']),
    column('Ports', (object) =>
      shown(
        listAt(object, 'ports')
          .filter(isObject)
          .map((port) => asText(port['port'] ?? '*')),
      ),
    ),
    column('Endpoints', (object) =>
      shown(listAt(object, 'endpoints').flatMap((item) => listAt(item, 'addresses').map(asText))),
    ),
  ],
  hasGeneration: true,
});

const lease = builtIn({
  group: 'coordination.k8s.io',
  kind: 'Lease',
  plural: 'leases',
  description: 'A claim that must be renewed.',
  fields: {
    spec: record('The claim.', {
      holderIdentity: text('Who holds it.'),
      leaseDurationSeconds: integer('For how long after a renewal.'),
      acquireTime: text('When this holder took it.'),
      renewTime: text('When it was last renewed.'),
      leaseTransitions: integer('How often it changed hands.'),
      strategy: text('How holders are chosen.'),
      preferredHolder: text('Who should take it over.'),
    }),
  },
  columns: [column('Holder', (object) => textAt(object, 'spec', 'holderIdentity'))],
  createOnUpdate: true,
});

export const networkKinds: readonly Resource[] = [endpointSlice, lease];
