import * as z from 'zod';
import { type Address, bitsOf, parseAddress } from '../net/address.ts';
import { prefixRange, type Range } from '../net/range.ts';
import type { Definition } from './definition.ts';
import { nodeNetworkKind } from './names.ts';

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
  ],
} as const satisfies Definition;

/** Where a node stands on one of its links. */
export type Standing = {
  readonly link: string;
  readonly addresses: readonly { readonly address: Address; readonly network: Range }[];
  readonly gateways: readonly Address[];
};

/** The status of a NodeNetwork; undefined where anything in it is not of its type, unreadable addresses are left out. */
export function parseNodeNetwork(written: unknown): readonly Standing[] | undefined {
  const result = status.safeParse(written);
  if (!result.success) return undefined;
  return (result.data.links ?? []).map(({ name, addresses = [], gateways = [] }) => ({
    link: name,
    addresses: addresses.flatMap((text) => {
      const [, before = '', length = ''] = /^(.+)\/(\d{1,3})$/.exec(text) ?? [];
      const address = parseAddress(before);
      if (address === undefined || Number(length) > bitsOf(address.family)) return [];
      return [{ address, network: prefixRange(address, Number(length)) }];
    }),
    gateways: gateways.flatMap((text) => parseAddress(text) ?? []),
  }));
}
