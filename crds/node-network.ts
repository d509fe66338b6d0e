import * as z from 'zod';
import { type Address, bitsOf, parseAddress } from '../net/address.ts';
import { type Mac, parseMac } from '../net/mac.ts';
import { prefixRange, type Range } from '../net/range.ts';
import type { Definition } from './definition.ts';
import { nodeNetworkKind } from './names.ts';

/** The speaker names no more per link: somebody who answers for every address is no longer list. */
export const mostForeign = 1_024;

const foreign = z.object({
  address: z.string().describe('The address: 198.51.100.7.'),
  mac: z.string().describe('The Ethernet address of the other machine: 52:54:00:12:34:56.'),
  since: z.string().meta({ format: 'date-time' }).describe('When it was first seen using it.'),
  state: z
    .enum(['Quarantined', 'Contested'])
    .describe(
      'Quarantined: found before the first use, so that no node answers for it. Contested: a node answers for it, and the other machine does, too.',
    ),
});

const link = z.object({
  name: z.string().describe('The name of the interface.'),
  addresses: z
    .array(z.string())
    .describe('The addresses of the node there, each with its prefix length: 198.51.100.11/24.')
    .optional(),
  gateways: z
    .array(z.string())
    .describe('The routers that the node reaches through this interface.')
    .optional(),
  foreign: z
    .array(foreign)
    .max(mostForeign)
    .describe('The addresses of pools that a machine outside the cluster uses on this interface.')
    .optional(),
});

const status = z.object({
  links: z.array(link).describe('The interfaces on which the node may announce.').optional(),
});

export type NodeNetworkStatus = z.output<typeof status>;

export const nodeNetwork = {
  kind: nodeNetworkKind,
  description:
    'Where a node stands: the interfaces, networks and routers that its speaker sees. Written by the speakers only.',
  spec: z.object({}).describe('Empty: there is nothing to ask for.').optional(),
  status: status.describe('What the speaker sees.').optional(),
  columns: [
    { name: 'Links', type: 'string', jsonPath: '.status.links[*].name' },
    { name: 'Addresses', type: 'string', jsonPath: '.status.links[*].addresses' },
    { name: 'Gateways', type: 'string', jsonPath: '.status.links[*].gateways' },
    { name: 'Foreign', type: 'string', jsonPath: '.status.links[*].foreign[*].address' },
    { name: 'Foreign MAC', type: 'string', jsonPath: '.status.links[*].foreign[*].mac' },
  ],
} as const satisfies Definition;

/** An address of a pool that a machine outside the cluster uses. */
export type Foreign = {
  readonly address: Address;
  readonly mac: Mac;
  readonly since: Date;
  readonly state: z.output<typeof foreign>['state'];
};

/** Where a node stands on one of its links. */
export type Standing = {
  readonly link: string;
  readonly addresses: readonly { readonly address: Address; readonly network: Range }[];
  readonly gateways: readonly Address[];
  readonly foreign: readonly Foreign[];
};

/** What a newer speaker says of foreign machines is no reason to forget where the node stands. */
const readable = status.extend({
  links: z.array(link.extend({ foreign: z.unknown().optional() })).optional(),
});

/** The status of a NodeNetwork; undefined where anything in it is not of its type, unreadable addresses are left out. */
export function parseNodeNetwork(written: unknown): readonly Standing[] | undefined {
  const result = readable.safeParse(written);
  if (!result.success) return undefined;
  return (result.data.links ?? []).map(({ name, addresses = [], gateways = [], ...seen }) => ({
    link: name,
    addresses: addresses.flatMap((text) => {
      const [, before = '', length = ''] = /^(.+)\/(\d{1,3})$/.exec(text) ?? [];
      const address = parseAddress(before);
      if (address === undefined || Number(length) > bitsOf(address.family)) return [];
      return [{ address, network: prefixRange(address, Number(length)) }];
    }),
    gateways: gateways.flatMap((text) => parseAddress(text) ?? []),
    foreign: parseForeign(seen.foreign),
  }));
}

function parseForeign(written: unknown): readonly Foreign[] {
  if (!Array.isArray(written)) return [];
  return written.slice(0, mostForeign).flatMap((entry: unknown) => {
    const result = foreign.safeParse(entry);
    if (!result.success) return [];
    const address = parseAddress(result.data.address);
    const mac = parseMac(result.data.mac);
    const since = new Date(result.data.since);
    if (address === undefined || mac === undefined || Number.isNaN(since.getTime())) return [];
    return [{ address, mac, since, state: result.data.state }];
  });
}
