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

const status = z.object({
  node: z.string().describe('The node that holds the addresses and answers for them.').optional(),
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
    .describe('The network interfaces on which the node answers.')
    .optional(),
  addresses: z.array(z.string()).describe('The addresses that the node holds.').optional(),
  mac: z.string().describe('The Ethernet address that is given as the answer.').optional(),
  since: z
    .string()
    .meta({ format: 'date-time' })
    .describe('When the node took the addresses over.')
    .optional(),
  term: counted(
    'Counts the holders; of two that claim to hold, the one with the greater is right.',
  ),
  previousNode: z.string().describe('The node that held the addresses before.').optional(),
  reason: z.string().describe('Why they moved, in one word.').optional(),
  detectionMs: counted('Milliseconds from the last sign of life of the previous node to its loss.'),
  takeoverMs: counted('Milliseconds from that loss to the first frame of the new holder.'),
  moves: counted('How often the addresses have changed their node.'),
});

export type L2Status = z.output<typeof status>;

/** The status of a ServiceL2Status; undefined where anything in it is not of its type. */
export function parseL2Status(written: unknown): L2Status | undefined {
  const result = status.safeParse(written);
  return result.success ? result.data : undefined;
}

export const serviceL2Status = {
  kind: serviceL2StatusKind,
  description: 'Which node holds the addresses of a Service. Written by the speakers only.',
  spec: z.object({}).describe('Empty: there is nothing to ask for.').optional(),
  status: status.describe('The holder, and how it came to be the holder.').optional(),
  columns: [
    { name: 'Holder', type: 'string', jsonPath: '.status.node' },
    { name: 'Address', type: 'string', jsonPath: '.status.addresses[0]' },
    { name: 'Service', type: 'string', jsonPath: '.status.serviceName' },
    { name: 'Service Namespace', type: 'string', jsonPath: '.status.serviceNamespace' },
    { name: 'Since', type: 'date', jsonPath: '.status.since' },
    { name: 'Moves', type: 'integer', jsonPath: '.status.moves' },
    { name: 'Reason', type: 'string', jsonPath: '.status.reason', priority: 1 },
    { name: 'Addresses', type: 'string', jsonPath: '.status.addresses', priority: 1 },
    { name: 'Previous', type: 'string', jsonPath: '.status.previousNode', priority: 1 },
    { name: 'MAC', type: 'string', jsonPath: '.status.mac', priority: 1 },
  ],
} as const satisfies Definition;
