import type { Listed, Roster } from '../core/action.ts';
import type { Machine } from './machine.ts';

/** The API's view of the machines: some are ready, the others are not, for one reason or another. */
export const listing = (
  nodes: readonly Machine[],
  ready: readonly Machine[],
  others: Listed['state'],
): Roster =>
  new Map(
    nodes.map((node) => [
      node.name,
      { udp: node.ip, state: ready.includes(node) ? 'Ready' : others },
    ]),
  );

export const withoutSelf = (roster: Roster, { name }: Machine): Roster =>
  new Map([...roster].filter(([node]) => node !== name));
