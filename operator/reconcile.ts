import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../daemon/clock.ts';
import type { Log } from '../daemon/log.ts';
import type { Service } from '../kube/object.ts';
import { type Address, type Family, formatAddress } from '../net/address.ts';
import { adoptLate } from './adopt.ts';
import { allocate, allocateNothing, type Decision } from './allocate.ts';
import { enact } from './enact.ts';
import { findBeside } from './evade.ts';
import { type Evasions, evasionMs } from './evasions.ts';
import type { Herald } from './herald.ts';
import type { Holding, Ledger } from './ledger.ts';
import { findUnreachable } from './reach.ts';
import { readRequest, type Reading, statusAddresses } from './request.ts';
import { changeStatus, clearStatus, confirm, type StatusPatch } from './status.ts';
import type { Terms } from './terms.ts';
import type { World } from './world.ts';

/** What one reconcile needs of the world around it. */
export type Ports = Herald & {
  readonly lbClass: string | undefined;
  readonly ledger: Ledger;
  readonly evasions: Evasions;
  /** Who has not all that it asks for, in the order in which they came. */
  readonly waiting: Set<string>;
  readonly clock: Clock;
  readonly log: Log;
  /** The newest state of a Service that we know of: from the API server, or from our own write. */
  service(key: string): Service | undefined;
  /** What its requests are decided against; `namespace` is where it lives. */
  world(namespace: string): World;
  write(service: Service, patch: StatusPatch, signal: AbortSignal): Promise<void>;
  /** An address has become free, or shareable: those waiting may have a chance now. */
  retryWaiting(): void;
  /** Something about a pool's numbers may have changed. */
  poolChanged(pool: string): void;
};

/** There is something to decide anew after this time. */
type Again = { readonly againAfterMs: number };

/**
 * Brings one Service to what it asks for: decides against the ledger, records that there, and
 * only then writes, so that whatever happens to the write, nobody else is given the address.
 * Answers when to look at it again, though nothing happens.
 */
export async function reconcile(
  key: string,
  ports: Ports,
  signal: AbortSignal,
): Promise<Again | undefined> {
  const service = ports.service(key);
  if (service === undefined) {
    dismiss(key, ports);
    return undefined;
  }
  const reading = readRequest(service, ports.lbClass);
  switch (reading.kind) {
    case 'unready':
      return undefined;
    case 'foreign':
      await letGo(key, service, ports, signal);
      return undefined;
    case 'faulty':
    case 'request':
      takeUp(key, service, ports);
      return await serve(key, service, decide(key, service, reading, ports), { ports, signal });
  }
}

function takeUp(key: string, service: Service, ports: Ports): void {
  const world = ports.world(service.metadata.namespace ?? '');
  for (const { holder } of adoptLate(service, world))
    ports.log.warn('an address is shown twice', {
      service: key,
      holder,
      addresses: shownBy(service),
    });
}

const shownBy = (service: Service): readonly string[] =>
  statusAddresses(service).map(formatAddress);

type Verdict = { readonly decision: Decision; readonly terms: Terms; readonly complete: boolean };

function decide(
  key: string,
  { metadata }: Service,
  reading: Extract<Reading, { kind: 'faulty' | 'request' }>,
  ports: Ports,
): Verdict {
  const { ledger, clock } = ports;
  const { request } = reading;
  const { terms } = request;
  const world = ports.world(metadata.namespace ?? '');
  ledger.wake(clock.nowMs());
  if (reading.kind === 'faulty') {
    const decision = bearWith(reading, world);
    return { decision, terms, complete: false };
  }
  const decision = allocate(request, world);
  const held = decision.kind === 'assign' ? decision : ledger.shownBy(key);
  const met = decision.kind === 'assign' || decision.kind === 'keep';
  const whole = met && !('refusal' in decision);
  const complete = whole && request.families.every((family) => hasOne(held?.addresses, family));
  return { decision, terms, complete };
}

/** What is wrong with a request moves its Service nowhere; but one that has the addresses of nodes goes on following them. */
function bearWith(
  { request, refusal }: Extract<Reading, { kind: 'faulty' }>,
  world: World,
): Decision {
  const { service, terms } = request;
  const held = world.ledger.shownBy(service);
  if (held?.terms.onNodes !== true)
    return allocateNothing({ service, terms }, refusal, world.ledger);
  const decision = allocate(request, world);
  if (decision.kind === 'release') return decision;
  const follows = decision.kind === 'assign' && decision.pool === held.pool;
  return follows ? { ...decision, refusal } : { kind: 'refuse', refusal };
}

const hasOne = (addresses: readonly Address[] = [], family: Family): boolean =>
  addresses.some((address) => address.family === family);

async function serve(
  key: string,
  service: Service,
  { decision, terms, complete }: Verdict,
  { ports, signal }: { readonly ports: Ports; readonly signal: AbortSignal },
): Promise<Again | undefined> {
  const { ledger, evasions, waiting, clock } = ports;
  const before = ledger.holdingOf(key);
  enact(decision, key, terms, ledger);
  if (complete) waiting.delete(key);
  else waiting.add(key);
  const held = ledger.holdingOf(key);
  const refusal = 'refusal' in decision ? decision.refusal : undefined;
  const { addresses = [], pool = '', terms: heldOn } = held ?? {};
  const evades = decision.kind === 'assign' ? decision.evades : undefined;
  const { pools } = ports.world(service.metadata.namespace ?? '');
  const standing = {
    addresses,
    pool,
    onNodes: heldOn?.onNodes,
    refusal,
    evades,
    stranger: refusal && findBeside(refusal, addresses, pools),
    unreachable: decision.kind === 'assign' ? findUnreachable(held, pools) : undefined,
  };
  const change = changeStatus(service, standing, clock.wall());
  // What an earlier write may have shown is given back only when the server has confirmed that it does not.
  const patch = change?.patch ?? (ledger.isSettled(key) ? undefined : confirm(service));
  if (patch !== undefined) await ports.write(service, patch, signal);
  const left = ledger.settle(key, clock.nowMs());
  if (evades !== undefined) {
    evasions.note(key, clock.nowMs());
    for (const address of left) ledger.shun(address, clock.nowMs() + evasionMs);
  }
  if (change?.news !== undefined) ports.tell(service, change.news, standing);
  for (const warning of change?.warnings ?? []) ports.warn(service, warning);
  if (decision.kind === 'assign' || left.length > 0) {
    for (const name of new Set([before?.pool, held?.pool])) if (name) ports.poolChanged(name);
  }
  if (left.length > 0 || opensSharing(before, held) || opensPorts(before, held))
    ports.retryWaiting();
  if (decision.kind !== 'refuse' || decision.againAfterMs === undefined) return undefined;
  return { againAfterMs: decision.againAfterMs };
}

/** Whether a port of the nodes may have become free. */
function opensPorts(before: Holding | undefined, held: Holding | undefined): boolean {
  if (before?.terms.onNodes !== true) return false;
  const same = held?.pool === before.pool && held.terms.onNodes === true;
  return !same || before.terms.ports.some((port) => !held.terms.ports.includes(port));
}

/** Whether others may now join an address that they could not join before. */
function opensSharing(before: Holding | undefined, held: Holding | undefined): boolean {
  if (held === undefined || held.terms.sharing === '') return false;
  return !isDeepStrictEqual(before?.terms, held.terms);
}

/** A Service that is not ours, or no longer. The status of another controller stays as it is. */
async function letGo(
  key: string,
  service: Service,
  ports: Ports,
  signal: AbortSignal,
): Promise<void> {
  if (service.spec?.type !== 'LoadBalancer') {
    const patch = clearStatus(service);
    if (patch !== undefined) await ports.write(service, patch, signal);
  }
  dismiss(key, ports);
}

/** A Service that is gone gives back what it held. */
export function dismiss(key: string, ports: Ports): void {
  const { ledger, evasions, waiting, clock, log } = ports;
  const before = ledger.holdingOf(key);
  const pool = before?.pool;
  waiting.delete(key);
  evasions.forget(key);
  const left = ledger.forget(key, clock.nowMs());
  if (pool !== undefined) ports.poolChanged(pool);
  if (left.length > 0)
    log.info('released', { service: key, addresses: left.map(formatAddress), pool });
  if (left.length > 0 || opensPorts(before, undefined)) ports.retryWaiting();
}
