import * as z from 'zod';
import { condition } from './conditions.ts';
import { type Definition, listOfDistinct } from './definition.ts';
import { l2AdvertisementKind } from './names.ts';
import { labelSelector } from './selector.ts';

const spec = z.object({
  ipAddressPools: listOfDistinct(z.string())
    .describe(
      'Pools, by name, whose addresses are announced. With neither names nor selectors the ' +
        'advertisement is for every pool.',
    )
    .optional(),
  ipAddressPoolSelectors: z
    .array(labelSelector)
    .describe('Pools, by label, whose addresses are announced; one matching selector is enough.')
    .optional(),
  nodeSelectors: z
    .array(labelSelector)
    .describe(
      'Nodes, by label, that may hold the addresses; one matching selector is enough. ' +
        'Leave it out for every node.',
    )
    .optional(),
  interfaces: listOfDistinct(z.string())
    .describe(
      'Network interfaces, by their exact name, on which the addresses are announced. ' +
        'Leave it out for every interface.',
    )
    .optional(),
  serviceSelectors: z
    .array(labelSelector)
    .describe(
      'Services, by label, whose addresses are announced; one matching selector is enough. ' +
        'Leave it out for every Service.',
    )
    .optional(),
  preferredNodeSelectors: z
    .array(
      z.object({
        weight: z
          .int32()
          .min(1)
          .max(100)
          .describe('How much a matching node is preferred; the weights of a node add up.'),
        preference: labelSelector.describe('Nodes, by label. An empty selector matches all.'),
      }),
    )
    .describe('Nodes that should rather hold the addresses than others, when they are able to.')
    .optional(),
});

const status = z.object({
  conditions: z
    .array(condition)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .describe(
      'Ready says whether the advertisement does all that it says, and if not, why and what to do.',
    )
    .optional(),
});

export const l2Advertisement = {
  kind: l2AdvertisementKind,
  description: 'Which nodes answer ARP and NDP for the addresses of which pools.',
  // Every field is optional and `spec: {}` is the most common one: all pools, everywhere.
  spec: spec.describe('What is announced, and from where.').optional(),
  status: status.describe('Whether anything is in the way of the advertisement.').optional(),
  columns: [
    { name: 'IPAddressPools', type: 'string', jsonPath: '.spec.ipAddressPools' },
    {
      name: 'IPAddressPool Selectors',
      type: 'string',
      jsonPath: '.spec.ipAddressPoolSelectors',
      priority: 1,
    },
    { name: 'Node Selectors', type: 'string', jsonPath: '.spec.nodeSelectors' },
    { name: 'Interfaces', type: 'string', jsonPath: '.spec.interfaces' },
    {
      name: 'Problem',
      type: 'string',
      jsonPath: '.status.conditions[?(@.status=="False")].reason',
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
} as const satisfies Definition;
