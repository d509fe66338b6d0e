import { namespaceOf } from './namespace-use.ts';

/** On which conditions a Service holds an address: what decides whether another may join it. */
export type Terms = {
  /** `TCP/80`: protocol and service port. */
  readonly ports: readonly string[];
  /** Empty: the address is not shared. */
  readonly sharing: string;
  /** Other namespaces with whose Services it shares; `*` is every one. */
  readonly namespaces: readonly string[];
  /** Two Services may share only when the same nodes may receive for both. */
  readonly backend: string;
  /** The addresses are those of nodes: who has them so shares them, port by port, as `NodePorts` says. */
  readonly onNodes?: true;
};

/** The terms on which a Service holds the addresses that it has: those of nodes, or others. */
export const termsOf = (terms: Terms, onNodes: true | undefined): Terms =>
  onNodes === undefined ? terms : { ...terms, onNodes };

/** A Service that holds an address, and on which terms. */
export type Holder = { readonly service: string; readonly terms: Terms };

/** Why an address cannot be had: who holds it, and on which of the terms the two differ. */
export type Obstacle = {
  readonly holder: string;
  readonly conflict: 'unshared' | 'sharing' | 'consent' | 'backend' | 'port';
  readonly port?: string;
};

/**
 * What keeps `wish` from joining these holders; undefined when nothing does. One that has the address already
 * (`stays`) needs no consent to go on: what was shared before both sides were asked for it stays shared.
 */
export function obstacleAmong(
  holders: readonly Holder[],
  { service, terms }: Holder,
  stays: boolean,
): Obstacle | undefined {
  for (const { service: holder, terms: theirs } of holders) {
    if (holder === service || (theirs.onNodes === true && terms.onNodes === true)) continue;
    if (theirs.onNodes !== terms.onNodes) return { holder, conflict: 'unshared' };
    if (theirs.sharing === '' || terms.sharing === '') return { holder, conflict: 'unshared' };
    if (theirs.sharing !== terms.sharing) return { holder, conflict: 'sharing' };
    const agreed = consents(terms, service, holder) && consents(theirs, holder, service);
    if (!agreed && !stays) return { holder, conflict: 'consent' };
    if (theirs.backend !== terms.backend) return { holder, conflict: 'backend' };
    const port = theirs.ports.find((each) => terms.ports.includes(each));
    if (port !== undefined) return { holder, conflict: 'port', port };
  }
  return undefined;
}

/** Whether a Service on these terms lets another share with it, as far as their namespaces go. */
function consents({ namespaces }: Terms, service: string, other: string): boolean {
  const from = namespaceOf(other);
  return from === namespaceOf(service) || namespaces.includes('*') || namespaces.includes(from);
}
