import * as z from 'zod';
import type { Definition } from './definition.ts';
import { serviceL2StatusKind } from './names.ts';

const immutable = (what: string) => ({
  'x-kubernetes-validations': [
    { rule: 'self == oldSelf', message: `${what} cannot change: create another object instead` },
  ],
});

const counted = (description: string) =>
  z.int().min(0).meta({ format: 'int64', description }).optional();

const address = z.string().describe('The address.');

const holder = z.object({
  address,
  interface: z.string().describe('The network interface on which the node answers.'),
  node: z.string().describe('The node that answers.'),
  mac: z.string().describe('The Ethernet address that it answers with.').optional(),
  since: z
    .string()
    .meta({ format: 'date-time' })
    .describe('When it took the address over.')
    .optional(),
  term: counted(
    'Counts the holders; of two that claim to hold, the one with the greater is right.',
  ),
  previousNode: z.string().describe('The node that held the address before.').optional(),
  reason: z.string().describe('Why it moved, in one word.').optional(),
  detectionMs: counted('Milliseconds from the last sign of life of the previous node to its loss.'),
  decisionMs: counted('Milliseconds from that loss to the decision to take the address.'),
  takeoverMs: counted('Milliseconds from that decision to the first frame of the new holder.'),
});

const status = z.object({
  node: z.string().describe('The node of the first holder in the list.').optional(),
  serviceName: z
    .string()
    .meta(immutable('serviceName'))
    .describe('The Service whose addresses these are.')
    .optional(),
  serviceNamespace: z
    .string()
    .meta(immutable('serviceNamespace'))
    .describe('The namespace of that Service.')
    .optional(),
  interfaces: z
    .array(z.object({ name: z.string().describe('The name of the interface.').optional() }))
    .describe('The network interfaces on which that node answers.')
    .optional(),
  addresses: z
    .array(z.string())
    .describe('The addresses of the Service that somebody holds.')
    .optional(),
  nodes: z.array(z.string()).describe('The nodes that hold them.').optional(),
  mac: z.string().describe('The Ethernet address of the first holder in the list.').optional(),
  since: z
    .string()
    .meta({ format: 'date-time' })
    .describe('When the last of them changed hands.')
    .optional(),
  previousNode: z.string().describe('The node that held it before.').optional(),
  reason: z.string().describe('Why it moved, in one word.').optional(),
  moves: counted('How often the addresses have changed their node.'),
  holders: z
    .array(holder)
    .meta({
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['address', 'interface', 'node'],
    })
    .describe('Who holds what: an entry for each address and each interface it is answered on.')
    .optional(),
});

export type L2Holder = z.output<typeof holder>;
export type L2Status = z.output<typeof status>;

/**
 * The name of a Service's object, the same whoever writes it, so that there is one. Neither of the two names has a dot in
 * it (RFC 1123 labels), so no two Services share an object.
 */
export const l2StatusName = ({ namespace, name }: { namespace: string; name: string }): string =>
  `l2-${namespace}.${name}`;

/** The labels that say whose object it is; MetalLB's. */
export const l2StatusLabels = {
  service: 'metallb.io/service-name',
  namespace: 'metallb.io/service-namespace',
} as const;

/** The status of a ServiceL2Status; undefined where anything in it is not of its type. */
export function parseL2Status(written: unknown): L2Status | undefined {
  const result = status.safeParse(written);
  return result.success ? result.data : undefined;
}

export const serviceL2Status = {
  kind: serviceL2StatusKind,
  description: 'Which nodes hold the addresses of a Service. Written by the speakers only.',
  spec: z.object({}).describe('Empty: there is nothing to ask for.').optional(),
  status: status.describe('The holders, and how they came to be the holders.').optional(),
  columns: [
    { name: 'Holder', type: 'string', jsonPath: '.status.node' },
    { name: 'Address', type: 'string', jsonPath: '.status.addresses[0]' },
    { name: 'Service', type: 'string', jsonPath: '.status.serviceName' },
    { name: 'Service Namespace', type: 'string', jsonPath: '.status.serviceNamespace' },
    { name: 'Since', type: 'date', jsonPath: '.status.since' },
    { name: 'Moves', type: 'integer', jsonPath: '.status.moves' },
    { name: 'Reason', type: 'string', jsonPath: '.status.reason', priority: 1 },
    { name: 'Holders', type: 'string', jsonPath: '.status.nodes', priority: 1 },
    { name: 'Addresses', type: 'string', jsonPath: '.status.addresses', priority: 1 },
    { name: 'Previous', type: 'string', jsonPath: '.status.previousNode', priority: 1 },
    { name: 'MAC', type: 'string', jsonPath: '.status.mac', priority: 1 },
  ],
} as const satisfies Definition;
