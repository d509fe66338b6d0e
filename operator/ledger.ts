import type { Pool } from '../crds/pool.ts';
import { type Address, type Family, sameAddress } from '../net/address.ts';
import type { Range } from '../net/range.ts';
import { namespaceOf, NamespaceUse } from './namespace-use.ts';
import { NodePorts } from './node-ports.ts';
import { PoolEntries } from './pool-entries.ts';
import { Resting } from './resting.ts';
import { type Entry, isAmong, Shelf } from './shelf.ts';
import { type Holder, type Obstacle, obstacleAmong, type Terms } from './terms.ts';

export type Holding = {
  readonly addresses: readonly Address[];
  readonly pool: string;
  readonly terms: Terms;
};

type Stay = {
  readonly holding: Holding;
  leaving: readonly Address[];
  /** What its status said last. */
  shown?: Holding | undefined;
};

/**
 * Who holds which address. A Service that moves keeps its old addresses until `settle`, which is
 * called when its status says the new ones: nobody is given an address that a status still names.
 */
export class Ledger {
  /** The ports of those who hold addresses of nodes. */
  readonly nodePorts = new NodePorts();
  readonly #restMs: number;
  readonly #shelves: Readonly<Record<Family, Shelf>> = { IPv4: new Shelf(), IPv6: new Shelf() };
  readonly #stays = new Map<string, Stay>();
  readonly #sharing = new Map<string, Set<Entry>>();
  readonly #pools = new PoolEntries<Entry>();
  readonly #namespaces = new NamespaceUse((pool) => this.#pools.of(pool));
  readonly #resting = new Resting();
  readonly #shunned = new Resting();
  #barred: Address[] = [];

  constructor(restMs: number) {
    this.#restMs = restMs;
  }

  holdingOf(service: string): Holding | undefined {
    return this.#stays.get(service)?.holding;
  }

  /** Who holds what. */
  *holdings(): Generator<readonly [service: string, holding: Holding]> {
    for (const [service, { holding }] of this.#stays) yield [service, holding];
  }

  /** What the status of `service` said last; what was decided since may not have been written. */
  shownBy(service: string): Holding | undefined {
    return this.#stays.get(service)?.shown;
  }

  /** Whether the status of `service` says what it holds now, and it leaves nothing. */
  isSettled(service: string): boolean {
    const stay = this.#stays.get(service);
    return stay === undefined || isSettled(stay);
  }

  /** All that is `service`'s: what it holds, and what it leaves. */
  ownedBy(service: string): readonly Address[] {
    const stay = this.#stays.get(service);
    if (stay === undefined || stay.leaving.length === 0) return stay?.holding.addresses ?? none;
    return [...stay.holding.addresses, ...stay.leaving];
  }

  /** Whether `service` holds an address, or held it until its status says otherwise. */
  owns(service: string, address: Address): boolean {
    const entry = this.#entryOf(address);
    return entry !== undefined && isAmong(entry, service);
  }

  /** How many Services hold something. */
  get size(): number {
    return this.#stays.size;
  }

  /** Distinct held addresses recorded under a pool; a shared one counts once. */
  inUse(pool: string): Readonly<Record<Family, number>> {
    return this.#pools.use(pool);
  }

  /**
   * Whether the namespace of `service` has as many addresses of a pool as it may. Those of the Service itself do not
   * count: it is about to have `kept` ones that no other of its namespace holds.
   */
  isAtQuota(
    pool: Pick<Pool, 'name' | 'allocation'>,
    family: Family,
    service: string,
    kept = 0,
  ): boolean {
    const most = pool.allocation?.maxPerNamespace;
    if (most === undefined) return false;
    const used = this.#namespaces.of(pool.name, family, namespaceOf(service));
    const isCounted = (address: Address): boolean =>
      address.family === family &&
      this.#entryOf(address)?.pool === pool.name &&
      !this.isHeldBeside(address, service);
    const own = this.ownedBy(service).filter(isCounted);
    return used - own.length + kept >= most;
  }

  /**
   * What keeps `service` from holding `address` on these terms; undefined when nothing does. `stays`: its status says
   * that it has it.
   */
  obstacle(address: Address, { service, terms }: Holder, stays = false): Obstacle | undefined {
    const entry = this.#entryOf(address);
    if (entry === undefined) return undefined;
    return obstacleAmong(entry.holders, { service, terms }, stays || isAmong(entry, service));
  }

  /** The addresses recorded under a pool and who holds each, in no particular order. */
  *heldUnder(pool: string): Generator<{ address: Address; services: readonly string[] }> {
    for (const { address, holders } of this.#pools.of(pool))
      yield { address, services: holders.map(({ service }) => service) };
  }

  /** The lowest address of a range, `after` one of it, that nobody holds; with `rested`, also none that still rests. */
  lowestFree(range: Range, rested: boolean, after?: Address): Address | undefined {
    const { family, first, last } = range;
    const from = after === undefined ? first : after.value + 1n;
    const value = this.#shelves[family].lowestFree(from, last, rested);
    return value === undefined ? undefined : { family, value };
  }

  /** The addresses held under a sharing key, in no particular order. */
  *sharedUnder(sharing: string): Generator<Address> {
    for (const entry of this.#sharing.get(sharing) ?? []) yield entry.address;
  }

  /** Records what `service` holds from now on; what it held before stays its own until `settle`. */
  hold(service: string, holding: Holding): void {
    const before = this.#stays.get(service);
    const leaving =
      before === undefined
        ? none
        : [...before.leaving, ...before.holding.addresses].filter(
            (address) => !holding.addresses.some((staying) => sameAddress(staying, address)),
          );
    for (const address of holding.addresses) this.#enter(address, service, holding);
    if (holding.terms.onNodes === true)
      this.nodePorts.claim(service, holding.pool, holding.terms.ports);
    const stays =
      leaving.length === 0 && holding.addresses.length === before?.holding.addresses.length;
    const shown = stays && before.shown === before.holding ? holding : before?.shown;
    this.#stays.set(service, { holding, leaving, shown });
  }

  /** Records what the status of `service` says that it holds. */
  adopt(service: string, holding: Holding): void {
    this.hold(service, holding);
    const stay = this.#stays.get(service);
    if (stay !== undefined) stay.shown = holding;
  }

  /** The status of `service` says what it holds: gives back, and returns, what it held before; others may hold that still. */
  settle(service: string, nowMs: number): readonly Address[] {
    const stay = this.#stays.get(service);
    if (stay === undefined || isSettled(stay)) return none;
    const { leaving } = stay;
    for (const address of leaving) this.#leave(address, service, nowMs);
    stay.leaving = none;
    stay.shown = stay.holding;
    const isGone = stay.holding.addresses.length === 0;
    if (isGone || stay.holding.terms.onNodes !== true) this.nodePorts.release(service);
    if (isGone) this.#stays.delete(service);
    return leaving;
  }

  /** `service` is gone: gives back, and returns, all it held. */
  forget(service: string, nowMs: number): readonly Address[] {
    const owned = this.ownedBy(service);
    this.#stays.delete(service);
    this.nodePorts.release(service);
    for (const address of owned) this.#leave(address, service, nowMs);
    return owned;
  }

  /** Ends the rest of those released long enough ago. */
  wake(nowMs: number): void {
    for (const address of this.#resting.wake(nowMs)) this.#shelves[address.family].markFit(address);
    for (const address of this.#shunned.wake(nowMs)) this.#shelves[address.family].markFit(address);
  }

  /** Leaves a free address alone until then, while others are free; `untilMs` is never before that of an earlier call. */
  shun(address: Address, untilMs: number): void {
    if (this.#entryOf(address) !== undefined) return;
    this.#resting.delete(address);
    this.#shunned.add(address, untilMs);
    this.#shelves[address.family].markUnfit(address);
  }

  /** Takes an address out of every search; it may still be held where it is asked for by name. */
  bar(address: Address): void {
    this.#shelves[address.family].bar(address);
    this.#barred.push(address);
  }

  /** Lifts every bar: the pools have changed, and with them what must not be handed out. */
  unbar(): void {
    for (const address of this.#barred) {
      if (this.#entryOf(address) !== undefined) continue;
      const shelf = this.#shelves[address.family];
      shelf.leave(address);
      if (!this.#resting.has(address) && !this.#shunned.has(address)) shelf.markFit(address);
    }
    this.#barred = [];
  }

  #entryOf(address: Address): Entry | undefined {
    return this.#shelves[address.family].entryOf(address);
  }

  #enter(address: Address, service: string, { pool, terms }: Holding): void {
    let entry = this.#entryOf(address);
    if (entry === undefined) {
      entry = { address, pool, turn: 0, holders: [{ service, terms }] };
      const wasUnfit = this.#shelves[address.family].enter(entry);
      if (wasUnfit) {
        this.#resting.delete(address);
        this.#shunned.delete(address);
      }
      this.#pools.add(entry);
    } else {
      this.#namespaces.leave(entry);
      if (entry.pool !== pool && terms.onNodes !== true) this.#rename(entry, pool);
      this.#strike(entry, service);
      entry.holders.push({ service, terms });
    }
    this.#namespaces.enter(entry);
    if (terms.sharing !== '') {
      const sharers = this.#sharing.get(terms.sharing);
      if (sharers === undefined) this.#sharing.set(terms.sharing, new Set([entry]));
      else sharers.add(entry);
    }
  }

  #rename(entry: Entry, pool: string): void {
    this.#pools.delete(entry);
    entry.pool = pool;
    this.#pools.add(entry);
  }

  /** Takes a holder off a record. After the last the address is free again. */
  #leave(address: Address, service: string, nowMs: number): void {
    const entry = this.#entryOf(address);
    if (entry === undefined) return;
    this.#namespaces.leave(entry);
    this.#strike(entry, service);
    if (entry.holders.length > 0) {
      this.#namespaces.enter(entry);
      return;
    }
    const shelf = this.#shelves[address.family];
    shelf.leave(address);
    this.#pools.delete(entry);
    if (this.#restMs <= 0) shelf.markFit(address);
    else this.#resting.add(address, nowMs + this.#restMs);
  }

  #strike(entry: Entry, service: string): void {
    const index = entry.holders.findIndex((holder) => holder.service === service);
    const [struck] = index < 0 ? [] : entry.holders.splice(index, 1);
    if (struck === undefined || struck.terms.sharing === '' || entry.holders.length > 0) return;
    const { terms } = struck;
    const sharers = this.#sharing.get(terms.sharing);
    sharers?.delete(entry);
    if (sharers?.size === 0) this.#sharing.delete(terms.sharing);
  }

  /** Whether another Service of its namespace holds the address. */
  isHeldBeside(address: Address, service: string): boolean {
    const entry = this.#entryOf(address);
    const namespace = namespaceOf(service);
    const isBeside = (other: string) => other !== service && namespaceOf(other) === namespace;
    return entry?.holders.some((holder) => isBeside(holder.service)) === true;
  }
}

const none: readonly Address[] = [];

const isSettled = ({ holding, leaving, shown }: Stay): boolean =>
  shown === holding && leaving.length === 0 && holding.addresses.length > 0;
