import * as z from 'zod';
import { condition } from './conditions.ts';
import { count, type Definition, listOfDistinct } from './definition.ts';
import { ipAddressPoolKind } from './names.ts';
import { admitted, longestNotation } from './notation.ts';
import { labelSelector } from './selector.ts';

const serviceAllocation = z.object({
  priority: z
    .int()
    .describe(
      'Which of several fitting pools is drawn from first: the smallest positive number. ' +
        '0, or leaving it out, puts the pool after all that have a number.',
    )
    .optional(),
  namespaces: listOfDistinct(z.string())
    .describe('Namespaces, by name, whose Services may have addresses of this pool.')
    .optional(),
  namespaceSelectors: z
    .array(labelSelector)
    .describe(
      'Namespaces, by label, whose Services may have addresses of this pool; one matching ' +
        'selector is enough. They add to the names in namespaces.',
    )
    .optional(),
  serviceSelectors: z
    .array(labelSelector)
    .describe('Services, by label, that may have addresses of this pool; one match is enough.')
    .optional(),
  maxPerNamespace: z
    .int32()
    .min(1)
    .describe(
      'How many addresses of this pool, of each IP family, the Services of one namespace may have ' +
        'together; a shared one counts once. What they have already stays.',
    )
    .optional(),
});

/** Addresses with or without a prefix length, and ranges. The operator says what is wrong with one. */
const places = z.string().min(1).max(longestNotation);

const reservation = z.object({
  addresses: listOfDistinct(places)
    .min(1)
    .max(8)
    .describe('The addresses, at most one for each IP family as a rule: 198.51.100.7.'),
  namespace: z.string().min(1).max(63).describe('The namespace of the Service.'),
  service: z.string().min(1).max(63).describe('The name of the Service.'),
});

/** In CEL, an end of an IPv4 range as a number. Without a loop: the API server reckons with the worst one could cost. */
const endOf = (index: 0 | 1): string =>
  [24, 16, 8, 0]
    .map(
      (bits, octet) => `int(self.split('-')[${index}].trim().split('.')[${octet}]) * ${2 ** bits}`,
    )
    .join(' + ');

// Each rule is about something else, so that a person reads one message.
const addresses = z
  .string()
  .max(longestNotation)
  .meta({
    'x-kubernetes-validations': [
      {
        rule: `self.contains('/') || self.contains('-') || !(self.matches(r'${admitted.bareIPv4.source}') || self.contains(':'))`,
        message: 'a single address needs a prefix length: write 198.51.100.7/32 or 2001:db8::7/128',
        messageExpression:
          "self + ' is a bare address: write ' + self + (self.contains(':') ? '/128' : '/32')",
      },
      {
        rule: `self.matches(r'${admitted.ipv4.source}') || self.contains(':')`,
        message:
          'write an IPv4 network like 198.51.100.224/28 (prefix length up to 32) or a range like ' +
          '198.51.100.200-198.51.100.219 (both addresses in full)',
      },
      {
        rule: `self.matches(r'${admitted.ipv6.source}') || !self.contains(':')`,
        message:
          'write an IPv6 network like 2001:db8::/120 (prefix length up to 128) or a range like ' +
          '2001:db8::1-2001:db8::ff (both addresses in full, both IPv6)',
      },
      {
        // Of IPv6 only the operator sees the order: this language cannot write an address in full.
        rule: `!self.matches(r'${admitted.rangeIPv4.source}') || ${endOf(0)} <= ${endOf(1)}`,
        message: 'the range runs backwards: write the lower address first',
        messageExpression:
          "self + ' runs backwards: write ' + self.split('-')[1].trim() + '-' + self.split('-')[0].trim()",
      },
    ],
  });

/**
 * What listens on the machines themselves: SSH, etcd, the API server, the kubelet, kube-proxy and the speaker, the
 * controllers. Whoever took one of these ports away from a node could not reach it any more.
 */
export const portsOfMachines: readonly number[] = [
  22, 2379, 2380, 6443, 7473, 10250, 10256, 10257, 10259,
];

// Without defaults in the schema: those would stay behind, and stand beside spec.addresses, when somebody applies the pool
// without spec.nodes (server-side apply leaves what nobody has written).
const nodes = z.object({
  selector: labelSelector.describe('The nodes, by label. Without it: all of them.').optional(),
  addressType: z
    .enum(['InternalIP', 'ExternalIP'])
    .describe(
      'Which address of a node: the type as in its status.addresses; InternalIP without this field. An ' +
        'ExternalIP serves only where the node itself has it, not where a router in front translates it.',
    )
    .optional(),
  reservedPorts: listOfDistinct(z.int32().min(1).max(65_535))
    .max(256)
    .describe(
      'Ports that the machines need for themselves. A Service with such a port gets no address: its ' +
        'traffic would be taken from them, and they could not be reached any more. Without this field: ' +
        `${portsOfMachines.join(', ')}.`,
    )
    .optional(),
});

const spec = z
  .object({
    addresses: listOfDistinct(addresses)
      .min(1)
      // The API server bounds what rules may cost, and must know how often they run: 3,500 is the most.
      .max(2_000)
      .optional()
      .describe(
        'The addresses to hand out, where there is no spec.nodes. Each item is a network (198.51.100.224/28, 2001:db8::/120), ' +
          'all of whose addresses count, or a range with both ends included ' +
          '(198.51.100.200-198.51.100.219). A single address is written with /32 or /128. ' +
          'Nothing may overlap, neither here nor with another pool.',
      ),
    nodes: nodes
      .optional()
      .describe(
        'In place of addresses: a Service gets the addresses of the nodes themselves, those that are ' +
          'Ready and, with externalTrafficPolicy Local, serve it. Nothing is announced for them. On ' +
          'each node a port is given once. Not with kube-proxy in IPVS mode, which would cut the nodes ' +
          'off from one another.',
      ),
    autoAssign: z
      .boolean()
      .default(true)
      .describe(
        'Whether Services that ask for nothing in particular draw from this pool. When false, only ' +
          'those do that name the pool (annotation metallb.io/address-pool) or one of its ' +
          'addresses (annotation metallb.io/loadBalancerIPs).',
      ),
    avoidBuggyIPs: z
      .boolean()
      .default(false)
      .describe(
        'Leave out IPv4 addresses that end in .0 or .255: some old devices take them for network ' +
          'or broadcast addresses.',
      ),
    exclude: listOfDistinct(places)
      .max(500)
      .describe(
        'Addresses of this pool that are never handed out: the gateway, printers, what DHCP gives. ' +
          'Each item is one address, a range or a network. Who has one already keeps it.',
      )
      .optional(),
    reclaim: listOfDistinct(places)
      .max(500)
      .describe(
        'Addresses to take back from Services that have them although no pool gives them any more: ' +
          'each Service moves to another address as soon as one can be had. Without this they stay, ' +
          'whatever becomes of their pool. They need not lie in this pool.',
      )
      .optional(),
    reservations: z
      .array(reservation)
      .max(500)
      .describe(
        'Addresses for one Service each. It gets them whenever it asks for nothing else, also when ' +
          'it is deleted and made again, and nobody else does.',
      )
      .optional(),
    pinning: z
      .enum(['Anyone', 'Reserved'])
      .describe(
        'Who may ask for an address of this pool by its value: Anyone (as without this field), or ' +
          'only those for whom it is Reserved.',
      )
      .optional(),
    serviceAllocation: serviceAllocation
      .describe('Restricts the pool to some Services and sets its rank among the fitting pools.')
      .optional(),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: 'has(self.addresses) != has(self.nodes)',
        message:
          'give either spec.addresses (what to hand out) or spec.nodes (the nodes themselves), and not both',
      },
      {
        rule: '!has(self.nodes) || !(has(self.exclude) || has(self.reservations) || has(self.pinning) || (has(self.serviceAllocation) && has(self.serviceAllocation.maxPerNamespace)))',
        message:
          'exclude, reservations, pinning and maxPerNamespace are about spec.addresses: leave them out beside spec.nodes',
      },
    ],
  });

const status = z.object({
  assignedIPv4: count('IPv4 addresses that Services hold; a shared one counts once.'),
  assignedIPv6: count('IPv6 addresses that Services hold; a shared one counts once.'),
  availableIPv4: count('IPv4 addresses that are still free; none of a closed pool.'),
  availableIPv6: count(
    'IPv6 addresses that are still free; none of a closed pool; huge pools stop counting at 2^53-1.',
  ),
  inUse: z
    .string()
    .describe(
      'How much of what the pool can give Services hold, for people: 1 of 240. Of a closed pool, which gives nothing ' +
        'new, only how many; with spec.nodes, where Services share addresses by port, no number.',
    )
    .optional(),
  quarantined: count('Addresses that another machine uses, so that they are handed out to nobody.'),
  contested: count('Addresses that Services have and another machine uses, too.'),
  readyNodes: z
    .int()
    .min(0)
    .meta({ format: 'int64' })
    .describe('With spec.nodes: how many of them are Ready and give their addresses.')
    .optional(),
  holders: z
    .array(
      z.object({
        address: z.string().describe('An address of the pool that is in use.'),
        services: z
          .array(z.string())
          .describe('The Services that have it, as namespace/name; several share it.'),
        draining: z
          .boolean()
          .describe('The pool does not give it any more: it stays until its Service lets go of it.')
          .optional(),
      }),
    )
    .describe(
      'Who has the addresses of the pool: 64 at most, those first that it does not give any more.',
    )
    .optional(),
  conditions: z
    .array(condition)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .describe(
      'Ready says whether the pool does all that it says, and if not, why and what to do; Room ' +
        'whether there are addresses left to give, with reason Filling from 80 % on and NearlyFull from 95 %.',
    )
    .optional(),
});

export type IPAddressPoolStatus = z.output<typeof status>;

export const ipAddressPool = {
  kind: ipAddressPoolKind,
  description: 'Addresses that Services of type LoadBalancer can be given.',
  spec: spec.describe('Which addresses, and for whom.'),
  status: status
    .describe('How much of the pool is in use, and whether anything is in its way.')
    .optional(),
  columns: [
    { name: 'Addresses', type: 'string', jsonPath: '.spec.addresses' },
    { name: 'Auto Assign', type: 'boolean', jsonPath: '.spec.autoAssign' },
    { name: 'In Use', type: 'string', jsonPath: '.status.inUse' },
    { name: 'Ready Nodes', type: 'integer', jsonPath: '.status.readyNodes' },
    { name: 'Assigned IPv4', type: 'integer', jsonPath: '.status.assignedIPv4', priority: 1 },
    { name: 'Available IPv4', type: 'integer', jsonPath: '.status.availableIPv4', priority: 1 },
    { name: 'Assigned IPv6', type: 'integer', jsonPath: '.status.assignedIPv6', priority: 1 },
    { name: 'Available IPv6', type: 'integer', jsonPath: '.status.availableIPv6', priority: 1 },
    { name: 'Quarantined', type: 'integer', jsonPath: '.status.quarantined', priority: 1 },
    { name: 'Contested', type: 'integer', jsonPath: '.status.contested', priority: 1 },
    { name: 'Avoid Buggy IPs', type: 'boolean', jsonPath: '.spec.avoidBuggyIPs', priority: 1 },
    {
      name: 'Problem',
      type: 'string',
      jsonPath: '.status.conditions[?(@.status=="False")].reason',
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
} as const satisfies Definition;
