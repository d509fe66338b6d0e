import { type Address, type Family, sameAddress } from '../net/address.ts';
import type { Range } from '../net/range.ts';
import { AddressSet } from './address-set.ts';
import { namespaceOf, NamespaceUse } from './namespace-use.ts';
import { PoolEntries } from './pool-entries.ts';
import { Resting } from './resting.ts';
import { type Holder, type Obstacle, obstacleAmong, type Terms } from './terms.ts';

export type Holding = {
  readonly addresses: readonly Address[];
  readonly pool: string;
  readonly terms: Terms;
};

/** One record per held address; all else is derived from these. */
type Entry = {
  readonly address: Address;
  pool: string;
  readonly holders: Holder[];
};

type Shelf = {
  readonly entries: Map<bigint, Entry>;
  readonly held: AddressSet;
  /** Held, resting or barred: what a search passes over at first. */
  readonly unfit: AddressSet;
};

type Stay = {
  readonly holding: Holding;
  leaving: readonly Address[];
  /** Its status has said so. */
  shown: boolean;
};

/**
 * Who holds which address. A Service that moves keeps its old addresses until `settle`, which is
 * called when its status says the new ones: nobody is given an address that a status still names.
 */
export class Ledger {
  readonly #restMs: number;
  readonly #shelves: Record<Family, Shelf> = { IPv4: emptyShelf(), IPv6: emptyShelf() };
  readonly #stays = new Map<string, Stay>();
  readonly #sharing = new Map<string, Set<Entry>>();
  readonly #pools = new PoolEntries<Entry>();
  readonly #namespaces = new NamespaceUse((pool) => this.#pools.of(pool));
  readonly #resting = new Resting();
  #barred: Address[] = [];

  constructor(restMs: number) {
    this.#restMs = restMs;
  }

  holdingOf(service: string): Holding | undefined {
    return this.#stays.get(service)?.holding;
  }

  /** Whether the status of `service` has ever said what it holds now. */
  isShown(service: string): boolean {
    return this.#stays.get(service)?.shown === true;
  }

  /** Whether `service` holds an address, or held it until its status says otherwise. */
  owns(service: string, address: Address): boolean {
    const entry = this.#shelves[address.family].entries.get(address.value);
    return entry?.holders.some((holder) => holder.service === service) === true;
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
   * count: it is about to have `kept` of its own and new ones.
   */
  isAtQuota(pool: QuotaPool, family: Family, service: string, kept = 0): boolean {
    const most = pool.allocation?.maxPerNamespace;
    if (most === undefined) return false;
    const used = this.#namespaces.of(pool.name, family, namespaceOf(service));
    const stay = this.#stays.get(service);
    const own = [...(stay?.holding.addresses ?? []), ...(stay?.leaving ?? [])].filter(
      (address) => address.family === family && this.#isAlone(address, service, pool.name),
    );
    return used - own.length + kept >= most;
  }

  /**
   * What keeps `service` from holding `address` on these terms; undefined when nothing does. `stays`: its status says
   * that it has it.
   */
  obstacle(address: Address, { service, terms }: Holder, stays = false): Obstacle | undefined {
    const entry = this.#shelves[address.family].entries.get(address.value);
    if (entry === undefined) return undefined;
    return obstacleAmong(entry.holders, { service, terms }, stays || isAmong(entry, service));
  }

  /** The addresses recorded under a pool and who holds each, in no particular order. */
  *heldUnder(pool: string): Generator<{ address: Address; services: readonly string[] }> {
    for (const { address, holders } of this.#pools.of(pool))
      yield { address, services: holders.map(({ service }) => service) };
  }

  /** The lowest address of a range, `from` one on, that nobody holds; with `rested`, also none that still rests. */
  lowestFree(range: Range, rested: boolean, from = range.first): Address | undefined {
    const { family, last } = range;
    const shelf = this.#shelves[family];
    const value = (rested ? shelf.unfit : shelf.held).lowestMissing(from, last);
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
    const stays =
      leaving.length === 0 && holding.addresses.length === before?.holding.addresses.length;
    this.#stays.set(service, { holding, leaving, shown: stays && before.shown });
  }

  /** The status of `service` says what it holds: gives back, and returns, what it held before. */
  settle(service: string, nowMs: number): readonly Address[] {
    const stay = this.#stays.get(service);
    if (stay === undefined || isSettled(stay)) return none;
    const freed = this.#leaveAll(stay.leaving, service, nowMs);
    stay.leaving = none;
    stay.shown = true;
    if (stay.holding.addresses.length === 0) this.#stays.delete(service);
    return freed;
  }

  /** `service` is gone: gives back, and returns, all it held. */
  forget(service: string, nowMs: number): readonly Address[] {
    const stay = this.#stays.get(service);
    if (stay === undefined) return none;
    this.#stays.delete(service);
    return this.#leaveAll([...stay.leaving, ...stay.holding.addresses], service, nowMs);
  }

  /** Ends the rest of those released long enough ago. */
  wake(nowMs: number): void {
    for (const { family, value } of this.#resting.wake(nowMs))
      this.#shelves[family].unfit.delete(value);
  }

  /** Takes an address out of every search; it may still be held where it is asked for by name. */
  bar(address: Address): void {
    this.#shelves[address.family].held.add(address.value);
    this.#shelves[address.family].unfit.add(address.value);
    this.#barred.push(address);
  }

  /** Lifts every bar: the pools have changed, and with them what must not be handed out. */
  unbar(): void {
    for (const address of this.#barred) {
      const shelf = this.#shelves[address.family];
      if (shelf.entries.has(address.value)) continue;
      shelf.held.delete(address.value);
      if (!this.#resting.has(address)) shelf.unfit.delete(address.value);
    }
    this.#barred = [];
  }

  #enter(address: Address, service: string, { pool, terms }: Holding): void {
    const { entries, held, unfit } = this.#shelves[address.family];
    let entry = entries.get(address.value);
    if (entry === undefined) {
      entry = { address, pool, holders: [{ service, terms }] };
      entries.set(address.value, entry);
      held.add(address.value);
      unfit.add(address.value);
      this.#resting.delete(address);
      this.#pools.add(entry);
    } else {
      this.#namespaces.leave(entry);
      if (entry.pool !== pool) this.#rename(entry, pool);
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

  /** Takes `service` off these; returns those that are free now. */
  #leaveAll(addresses: readonly Address[], service: string, nowMs: number): readonly Address[] {
    if (addresses.length === 0) return none;
    return addresses.filter((address) => this.#leave(address, service, nowMs));
  }

  /** Takes a holder off a record. True when it was the last, and the address is free again. */
  #leave(address: Address, service: string, nowMs: number): boolean {
    const { entries, held, unfit } = this.#shelves[address.family];
    const entry = entries.get(address.value);
    if (entry === undefined) return false;
    this.#namespaces.leave(entry);
    this.#strike(entry, service);
    if (entry.holders.length > 0) {
      this.#namespaces.enter(entry);
      return false;
    }
    entries.delete(address.value);
    held.delete(address.value);
    this.#pools.delete(entry);
    if (this.#restMs <= 0) unfit.delete(address.value);
    else this.#resting.add(address, nowMs + this.#restMs);
    return true;
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
    const entry = this.#shelves[address.family].entries.get(address.value);
    const namespace = namespaceOf(service);
    return entry?.holders.some((one) => namespaceOf(one.service) === namespace) === true;
  }

  /** Whether nobody else of its namespace holds the address, which lies in this pool. */
  #isAlone(address: Address, service: string, pool: string): boolean {
    const entry = this.#shelves[address.family].entries.get(address.value);
    if (entry?.pool !== pool) return false;
    const namespace = namespaceOf(service);
    return entry.holders.every(
      (holder) => holder.service === service || namespaceOf(holder.service) !== namespace,
    );
  }
}

/** What of a pool a quota is about. */
type QuotaPool = {
  readonly name: string;
  readonly allocation?: { readonly maxPerNamespace?: number };
};

const isAmong = ({ holders }: Entry, service: string): boolean =>
  holders.some((holder) => holder.service === service);

const emptyShelf = (): Shelf => ({
  entries: new Map(),
  held: new AddressSet(),
  unfit: new AddressSet(),
});

const none: readonly Address[] = [];

const isSettled = ({ holding, leaving, shown }: Stay): boolean =>
  shown && leaving.length === 0 && holding.addresses.length > 0;
