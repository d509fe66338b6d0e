import { type Asker, type Facts, familyOf, type PoolFacts, reclaims } from './facts.ts';

/**
 * Whether two Services may show one address: the same key, which is not empty, no port in common, and the same nodes behind it.
 * Whoever comes anew into another namespace needs both to say so.
 */
function maySee(one: Asker, other: Asker, comesAnew: boolean): boolean {
  const agree = (a: Asker, b: Asker): boolean =>
    a.partners.includes('*') || a.partners.includes(b.namespace);
  return (
    one.sharing !== '' &&
    one.sharing === other.sharing &&
    one.backend === other.backend &&
    !one.ports.some((port) => other.ports.includes(port)) &&
    (!comesAnew || one.namespace === other.namespace || (agree(one, other) && agree(other, one)))
  );
}

const isAlike = (a: Asker, b: Asker): boolean =>
  a.sharing === b.sharing && a.backend === b.backend && a.ports.join() === b.ports.join();

const others = ({ askers }: Facts, key: string): readonly Asker[] =>
  [...askers.values()].filter((asker) => asker.key !== key && asker.balanced);

/** Who else shows the address. */
const besides = (facts: Facts, key: string, address: string): readonly Asker[] =>
  others(facts, key).filter(({ shown }) => shown.includes(address));

/** How many of the addresses are of the family. */
const count = (addresses: Iterable<string>, family: string): number =>
  [...addresses].filter((address) => familyOf(address) === family).length;

/** Whether what is held is what is asked for, as far as addresses go. */
function isAsked(
  { wanted, families, count: each, secondOptional }: Asker,
  held: readonly string[],
) {
  if (wanted.length > 0)
    return held.length === wanted.length && wanted.every((address) => held.includes(address));
  const counts = families.map((family) => count(held, family));
  const strange = held.some((address) => !families.includes(familyOf(address)));
  const partly = secondOptional && counts.includes(each);
  return (
    !strange && counts.every((one) => one === each || (partly && one === 0)) && held.length > 0
  );
}

/** The pool that a Service has its addresses from: the one that it says, where that still has them. */
function homeOf({ shown, from }: Asker, facts: Facts): PoolFacts | undefined {
  const homes = poolsHolding(facts, shown);
  return homes.find(({ name }) => name === from) ?? homes.find(({ closed }) => !closed) ?? homes[0];
}

const poolsHolding = ({ pools }: Facts, held: readonly string[]): readonly PoolFacts[] =>
  pools.filter(({ addresses }) => held.every((address) => addresses.has(address)));

/** The pools from which a Service may draw something new. */
function poolsFor(asker: Asker, { pools }: Facts): readonly PoolFacts[] {
  const owned = (pool: PoolFacts): boolean => [...pool.owners.values()].includes(asker.key);
  const mayPin = ({ owners, pinsReserved }: PoolFacts): boolean =>
    asker.wanted.every((address) => {
      const owner = owners.get(address);
      return owner === asker.key || (owner === undefined && !pinsReserved);
    });
  return pools.filter((pool) => {
    if (pool.closed || !pool.admits(asker)) return false;
    if (asker.pool !== '' && asker.pool !== pool.name) return false;
    if (asker.wanted.length > 0)
      return mayPin(pool) && asker.wanted.every((address) => pool.addresses.has(address));
    return asker.pool !== '' || pool.auto || owned(pool);
  });
}

/** Whether `pool` has as many addresses of the family as the Service asks for, others' being what they are. */
function canGive(pool: PoolFacts, family: string, asker: Asker, facts: Facts): boolean {
  const isMine = (address: string): boolean =>
    (pool.owners.get(address) ?? asker.key) === asker.key;
  // What another machine claims is given to nobody who does not have it, share it, or ask for it.
  const isFree = (address: string): boolean =>
    !facts.contested.has(address) ||
    asker.shown.includes(address) ||
    asker.wanted.includes(address) ||
    pool.owners.get(address) === asker.key ||
    besides(facts, asker.key, address).length > 0;
  const available = [...pool.addresses].filter(
    (address) =>
      familyOf(address) === family &&
      isMine(address) &&
      isFree(address) &&
      (asker.wanted.length === 0 || asker.wanted.includes(address)) &&
      besides(facts, asker.key, address).every((other) =>
        maySee(asker, other, !asker.shown.includes(address)),
      ),
  );
  const namesakes = others(facts, asker.key).filter(
    ({ namespace }) => namespace === asker.namespace,
  );
  // What came from the pool counts until it is given back, whatever has become of the pool.
  const theirs = new Set(
    namesakes.flatMap(({ shown, from }) =>
      shown.filter(
        (address) =>
          familyOf(address) === family && (from === pool.name || pool.addresses.has(address)),
      ),
    ),
  );
  const costless = available.filter((address) => theirs.has(address)).length;
  const room = Math.max(0, pool.most - theirs.size);
  const needed = asker.wanted.length > 0 ? count(asker.wanted, family) : asker.count;
  return costless + Math.min(available.length - costless, room) >= needed;
}

/** Whether some pool has all that a Service asks for; `partly`: of the families one will do. */
function canBeServed(asker: Asker, facts: Facts, partly: boolean): boolean {
  return poolsFor(asker, facts).some((pool) => {
    const given = asker.families.map((family) => canGive(pool, family, asker, facts));
    return partly ? given.includes(true) : !given.includes(false);
  });
}

/** What is wrong once everything has come to rest; nobody is about to act any more. */
export function* faultsAtRest(facts: Facts): Generator<string> {
  for (const asker of facts.askers.values()) {
    const { key, shown, balanced } = asker;
    if (!balanced) {
      if (shown.length > 0 || asker.from !== '' || asker.content !== '')
        yield `${key} is no LoadBalancer and has still something of one`;
      continue;
    }
    for (const address of shown)
      for (const other of besides(facts, key, address))
        if (!maySee(asker, other, false)) yield `${key} and ${other.key} both show ${address}`;
    yield* faultsOf(asker, facts);
  }
}

function* faultsOf(asker: Asker, facts: Facts): Generator<string> {
  const { key, shown } = asker;
  const told = asker.content === 'False' && asker.reason !== '';
  const home = homeOf(asker, facts);
  const asked = !asker.faulty && isAsked(asker, shown);
  const wantsElsewhere = home !== undefined && asker.pool !== '' && asker.pool !== home.name;
  if (asked && home?.admits(asker) === true && !wantsElsewhere) {
    const contested = shown.some((address) => facts.contested.has(address));
    const reason = asker.content === 'False' ? asker.reason : '';
    if (reason !== (contested ? 'AddressContested' : ''))
      yield `${key} has what it asks for and is told ${reason || 'nothing'}`;
    yield* secondMissing(asker, facts);
    return;
  }
  // Which pools a broken name stands for is known only to who saw it whole.
  const unsure = facts.pools.some(({ closed }) => closed);
  if (!told && !unsure) yield `${key} has not what it asks for, and nobody tells it why`;
  if (asker.faulty) return;
  const stays = asked && !wantsElsewhere && shown.length > 0;
  const reclaimed = shown.some((address) => facts.pools.some((pool) => reclaims(pool, address)));
  const quarantined = shown.some((address) => facts.quarantined.has(address));
  if (stays && (unsure || isBound(asker, facts) || !(reclaimed || quarantined))) return;
  const partly = asker.secondOptional && shown.length <= asker.count;
  if (canBeServed(asker, facts, false) || (partly && canBeServed(asker, facts, true)))
    yield `${key} could have what it asks for, and has ${shown.join(' and ') || 'nothing'} (${asker.reason})`;
}

/** Whether it has an address that it asked for or that is reserved for it, and that another machine uses. */
const isBound = ({ key, wanted, shown }: Asker, { pools, quarantined }: Facts): boolean =>
  shown.some(
    (address) =>
      quarantined.has(address) &&
      (wanted.includes(address) || pools.some(({ owners }) => owners.get(address) === key)),
  );

/** Who prefers two families and has one gets the other where the same pool has it. */
function* secondMissing(asker: Asker, facts: Facts): Generator<string> {
  const home = facts.pools.find(({ name }) => name === asker.from);
  if (home === undefined || home.closed) return;
  if (!asker.shown.every((address) => home.addresses.has(address))) return;
  const missing = asker.families.find((family) => count(asker.shown, family) === 0);
  if (missing !== undefined && canGive(home, missing, asker, facts))
    yield `${asker.key} could have its ${missing} address from ${home.name}, and has it not`;
}

/** A write of the operator on the status of one Service. */
type Writing = {
  readonly before: Asker;
  readonly after: Asker;
  readonly now: Facts;
  /** Everything that the operator may have taken for the present state. */
  readonly pasts: readonly Facts[];
  /** Writes have failed: the operator has decided more than the statuses show. */
  readonly unsure: boolean;
};

/** What is wrong with a write, whatever the operator knew. */
export function* faultsOfWriting(writing: Writing): Generator<string> {
  const { before, after, now, pasts } = writing;
  const { key } = after;
  // What was wiped off a status, as a change of the type does it, is put back.
  const had = pasts.flatMap((past) => (past === now ? [] : (past.askers.get(key)?.shown ?? [])));
  const gained = after.shown.filter((address) => ![...before.shown, ...had].includes(address));
  const lost = before.shown.filter((address) => !after.shown.includes(address));
  for (const address of gained)
    for (const { key: other } of besides(now, key, address)) {
      const known = pasts.flatMap((past) => past.askers.get(other) ?? []);
      if (!known.some((one) => maySee(after, one, true)))
        yield `${key} is given ${address}, which ${other} shows`;
    }
  if (
    gained.length > 0 &&
    !pasts.some((past) => isOffered(after, gained, { ...past, askers: now.askers }))
  )
    yield `${key} is given ${gained.join(' and ')}, which no pool offers it`;
  if (lost.length > 0 && !pasts.some((past) => mayLose(writing, past)))
    yield `${key} loses ${lost.join(' and ')} for ${after.shown.join(' and ') || 'nothing'}`;
}

/** Whether one pool that is for the Service has all that it shows now, and may give what is new of that. */
function isOffered(after: Asker, gained: readonly string[], facts: Facts): boolean {
  return poolsFor(after, facts).some((pool) => {
    const mine = gained.every((address) => (pool.owners.get(address) ?? after.key) === after.key);
    const within = after.shown.every((address) => pool.addresses.has(address));
    // Where two pools overlap by mistake, an address counts for the one that it came from.
    const crowd = others(facts, after.key).filter(
      (other) => other.namespace === after.namespace && homeOf(other, facts)?.name === pool.name,
    );
    const kept = ['IPv4', 'IPv6'].every((family) => {
      if (count(gained, family) === 0) return true;
      const all = new Set([...crowd.flatMap(({ shown }) => shown), ...after.shown]);
      return (
        count(
          [...all].filter((one) => pool.addresses.has(one)),
          family,
        ) <= pool.most
      );
    });
    return mine && within && kept;
  });
}

/** Make before break: for something better, or because another Service is in the right. */
function mayLose({ before, after, unsure }: Writing, past: Facts): boolean {
  if (!after.balanced) return true;
  const contested = before.shown.some((address) =>
    besides(past, after.key, address).some((other) => !maySee(after, other, false)),
  );
  // Who changes its side of sharing may be in the way of somebody whose status does not say so yet.
  const then = past.askers.get(after.key);
  const isOther = then !== undefined && then.sharing !== '' && !isAlike(then, after);
  if (contested || (unsure && isOther)) return true;
  if (after.faulty || after.shown.length === 0) return false;
  const homes = poolsHolding(past, before.shown);
  const unasked =
    !isAsked(after, before.shown) ||
    (after.pool !== '' && homes.every(({ name }) => name !== after.pool));
  const unfit = !homes.some((pool) => pool.admits(after));
  const reclaimed = before.shown.some((address) =>
    past.pools.some((pool) => reclaims(pool, address)),
  );
  const evades =
    before.shown.some((address) => past.quarantined.has(address)) && !isBound(before, past);
  return unasked || (unfit && reclaimed) || evades;
}
