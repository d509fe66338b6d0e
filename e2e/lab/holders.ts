import type { Client } from './client.ts';
import type { Host } from './host.ts';
import type { Hosts } from './hosts.ts';
import { until } from '../../daemon/testing/until.ts';

type Lan = { readonly hosts: Hosts; readonly client: Client };

/** The node that answers a broadcast question for the address now; undefined when none does in that time. */
export async function holderOf(
  { hosts, client }: Lan,
  address: string,
  withinMs = 1_000,
): Promise<Host | undefined> {
  const mac = await client.ask(address, withinMs);
  return hosts.nodes.find((host) => host.mac === mac);
}

export function someHolderOf(lan: Lan, address: string): Promise<Host> {
  return until(`a node answers for ${address}`, () => holderOf(lan, address), {
    withinMs: 15_000,
  });
}

/** Whether what a backend said is right for an address that this node answers for: kube-proxy may choose any backend. */
export const isServedFrom = (
  { serviceProxy }: { readonly serviceProxy: 'stand-in' | 'kube-proxy' },
  { name }: Host,
  body: string,
): boolean =>
  serviceProxy === 'kube-proxy'
    ? body.startsWith('served by ')
    : body.trim() === `served by ${name}`;

/** The names of all nodes that answer for the address within a second, without repetition. */
export async function answerersOf({ hosts, client }: Lan, address: string): Promise<string[]> {
  const macs = new Set(await client.answers(address));
  return [...macs].map((mac) => hosts.all.find((host) => host.mac === mac)?.name ?? mac);
}
