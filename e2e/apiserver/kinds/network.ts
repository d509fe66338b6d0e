import { column, field } from '../columns.ts';
import { type Cause, invalidValue, requiredValue } from '../field-fault.ts';
import { parseAddress } from '../../../net/address.ts';
import { asText, isObject, type JsonObject, listAt, objectAt, textAt } from '../json.ts';
import type { Resource } from '../resource.ts';
import { integer, listOf, mapOf, microTime, record, setOf, text, yesNo } from '../schema/schema.ts';
import { builtIn } from './built-in.ts';
import { conditions, objectReference } from './shapes.ts';

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
  strategy: { validate: sliceFaults },
  hasGeneration: true,
});

function sliceFaults(draft: JsonObject, before: JsonObject | undefined): Cause[] {
  const faults: Cause[] = [];
  const family = textAt(draft, 'addressType');
  for (const [index, endpoint] of listAt(draft, 'endpoints').entries()) {
    const path = `endpoints[${index}].addresses`;
    const addresses = listAt(endpoint, 'addresses');
    if (addresses.length === 0) faults.push(requiredValue(path, 'must contain at least 1 address'));
    for (const [place, address] of addresses.entries()) {
      if (family === 'FQDN' || parseAddress(asText(address))?.family === family) continue;
      faults.push(invalidValue(`${path}[${place}]`, address, `must be a valid ${family} address`));
    }
  }
  const earlier = before?.['addressType'];
  if (earlier !== undefined && earlier !== family)
    faults.push(invalidValue('addressType', family, 'field is immutable'));
  return faults;
}

const lease = builtIn({
  group: 'coordination.k8s.io',
  kind: 'Lease',
  plural: 'leases',
  description: 'A claim that must be renewed.',
  fields: {
    spec: record('The claim.', {
      holderIdentity: text('Who holds it.'),
      leaseDurationSeconds: integer('For how long after a renewal.'),
      acquireTime: microTime('When this holder took it.'),
      renewTime: microTime('When it was last renewed.'),
      leaseTransitions: integer('How often it changed hands.'),
      strategy: text('How holders are chosen.'),
      preferredHolder: text('Who should take it over.'),
    }),
  },
  columns: [column('Holder', (object) => textAt(object, 'spec', 'holderIdentity'))],
  strategy: { validate: (draft) => leaseFaults(draft) },
  insistsOnVersion: true,
  createOnUpdate: true,
});

function leaseFaults(draft: JsonObject): Cause[] {
  const { leaseDurationSeconds: duration, leaseTransitions: transitions } = objectAt(draft, 'spec');
  const faults: Cause[] = [];
  if (typeof duration === 'number' && duration <= 0)
    faults.push(invalidValue('spec.leaseDurationSeconds', duration, 'must be greater than 0'));
  if (typeof transitions === 'number' && transitions < 0)
    faults.push(
      invalidValue('spec.leaseTransitions', transitions, 'must be greater than or equal to 0'),
    );
  return faults;
}

const serviceCidr = builtIn({
  group: 'networking.k8s.io',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  clusterScoped: true,
  description: 'Networks from which Services get their cluster addresses.',
  fields: {
    spec: record('The networks.', {
      cidrs: setOf('One for each family.', { type: 'string' }),
    }),
    status: record('What is known of them.', {
      conditions: conditions('Whether they are in use.'),
    }),
  },
  hasStatus: true,
  columns: [column('CIDRs', (object) => listAt(object, 'spec', 'cidrs').map(asText).join(','))],
});

export const networkKinds: readonly Resource[] = [endpointSlice, lease, serviceCidr];
