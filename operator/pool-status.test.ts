import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pool } from '../crds/pool.ts';
import type { Problem } from '../crds/problem.ts';
import { Catalogue } from './catalogue.ts';
import { poolSize } from './pool-addresses.ts';
import { countPool } from './pool-counts.ts';
import { changeObjectStatus, type Judged, readUse } from './pool-status.ts';
import { strangersIn } from './strangers.ts';
import { noNodes, pool, range, request, sighting, Town } from './testing/town.ts';

const now = new Date('2026-02-03T04:05:06Z');
const object = (status?: Judged['status']): Judged => ({
  metadata: { name: 'lan', namespace: 'metallb-system', generation: 3 },
  ...(status === undefined ? {} : { status }),
});
const holders = [{ address: '198.51.100.1', services: ['default/web'] }];
const counts = {
  assignedIPv4: 1,
  assignedIPv6: 0,
  availableIPv4: 8,
  availableIPv6: 0,
  quarantined: 0,
  contested: 0,
  inUse: '1 of 9',
  holders,
};
const overlap = {
  kind: 'IPAddressPool',
  name: 'lan',
  reason: 'OverlappingPools',
  detail: 'x',
} as const;

// MetalLB: TestPoolCount, E58
test('a pool counts what is held and what is free, and huge ones stop at 2^53-1', () => {
  const inUse = { IPv4: 2, IPv6: 1 };
  const both = pool('both', [
    '198.51.100.1-198.51.100.9',
    '2001:db8::-2001:db8::ffff:ffff:ffff:ffff',
  ]);
  assert.deepEqual(countPool(both, inUse), {
    assignedIPv4: 2,
    assignedIPv6: 1,
    availableIPv4: 7,
    availableIPv6: Number.MAX_SAFE_INTEGER,
    quarantined: 0,
    contested: 0,
  });
  assert.equal(countPool(pool('shrunk', '198.51.100.1'), inUse).availableIPv4, 0);
});

// MetalLB: TestPoolCount (avoidBuggyIPs)
test('addresses that a pool avoids are not counted', () => {
  const size = (text: string) => {
    const { first, last } = range(text);
    let slow = 0n;
    for (let value = first; value <= last; value++) {
      if ((value & 255n) !== 0n && (value & 255n) !== 255n) slow++;
    }
    const edge = pool('edge', text, { avoidBuggyIPs: true });
    assert.equal(poolSize(edge).IPv4, slow, text);
  };
  for (const text of [
    '198.51.100.0-198.51.100.255',
    '198.51.100.254-198.51.101.1',
    '198.51.100.0',
  ]) {
    size(text);
  }
  for (const text of ['198.51.100.255', '198.51.100.1-198.51.102.254', '0.0.0.0-0.0.1.0'])
    size(text);
});

test('a status is written when a number or a problem changes, and not again', () => {
  const first = changeObjectStatus(object(), { problems: [], now }, counts);
  assert.equal(first?.conditions?.[0]?.status, 'True');
  assert.equal(
    changeObjectStatus(object(first), { problems: [], now: new Date() }, counts),
    undefined,
  );
  const more = { ...counts, assignedIPv4: 2, availableIPv4: 7 };
  assert.equal(changeObjectStatus(object(first), { problems: [], now }, more)?.assignedIPv4, 2);
  const told = changeObjectStatus(object(first), { problems: [overlap], now }, counts);
  assert.equal(told?.conditions?.[0]?.reason, 'OverlappingPools');
  const meddled = { ...first, assignedIPv4: 77 };
  assert.equal(changeObjectStatus(object(meddled), { problems: [], now }, counts)?.assignedIPv4, 1);
});

test('a pool says how full it is: from 80 % on that it fills, from 95 % that little is left, and when nothing is', () => {
  const room = (assignedIPv4: number, availableIPv4: number) => {
    const use = { ...counts, assignedIPv4, availableIPv4 };
    const status = changeObjectStatus(object(), { problems: [], now }, use);
    const { status: holds, reason } = status?.conditions?.find(({ type }) => type === 'Room') ?? {};
    return `${holds} ${reason}`;
  };
  assert.equal(room(0, 0), 'False NothingToGive');
  assert.equal(room(0, 1), 'True RoomLeft');
  assert.equal(room(79, 21), 'True RoomLeft');
  assert.equal(room(80, 20), 'True Filling');
  assert.equal(room(95, 5), 'True NearlyFull');
  assert.equal(room(100, 0), 'False Exhausted');
});

/** What the status says of the pool's room, and what stands in the column. */
function shows(own: Pool, ...services: readonly string[]): string {
  const town = new Town([own]);
  for (const name of services) town.serve(request(name));
  return showsOf(own, town);
}

function showsOf(own: Pool, { ledger }: Town): string {
  const use = readUse(own.name, own, ledger, noNodes);
  const status = changeObjectStatus(object(), { problems: [], now, pool: own }, use);
  const { reason, message } = status?.conditions?.find(({ type }) => type === 'Room') ?? {};
  return `${use.inUse} | ${reason}: ${message}`;
}

test('a pool says how much of it is in use, of whichever family', () => {
  assert.equal(
    shows(pool('lan', '198.51.100.1-198.51.100.4'), 'a'),
    '1 of 4 | RoomLeft: pool lan: 1 of 4 IPv4 addresses in use',
  );
  assert.equal(
    shows(pool('lan', '2001:db8::1-2001:db8::f0')),
    '0 of 240 | RoomLeft: pool lan: 0 of 240 IPv6 addresses in use',
  );
  assert.equal(
    shows(pool('lan', ['198.51.100.1', '2001:db8::1-2001:db8::f0']), 'a'),
    '1 of 1 IPv4, 0 of 240 IPv6 | Exhausted: pool lan: 1 of 1 IPv4 and 0 of 240 IPv6 addresses in use',
  );
  assert.equal(
    shows(pool('lan', '2001:db8::-2001:db8::ffff:ffff:ffff:ffff')),
    '0 of more than 2^53 | RoomLeft: pool lan: 0 of more than 2^53 IPv6 addresses in use',
  );
  assert.match(shows(pool('lan', [])), /^0 of 0 \| NothingToGive: pool lan: it has no address/);
});

test('a closed pool has nothing to give, whatever it contains', () => {
  const town = new Town([pool('lan', '198.51.100.1-198.51.100.4')]);
  town.serve(request('a'));
  const closed = pool('lan', '198.51.100.1-198.51.100.4', { closed: overlap });
  assert.match(
    showsOf(closed, town),
    /^1, closed \| PoolClosed: pool lan: it hands out nothing new; addresses in use: 1\. Correct/,
  );
  assert.match(showsOf(closed, new Town([closed])), /^closed \| PoolClosed/);
  assert.equal(countPool(closed, { IPv4: 1, IPv6: 0 }).availableIPv4, 0);
});

test("a pool says which of its addresses nobody gets because they are somebody's", () => {
  const nodes = ['b', 'a', 'c', 'd'].map((name, index) => ({
    range: range(`198.51.100.1${index}`),
    by: `an address of node ${name}`,
  }));
  const lan = pool('lan', '198.51.100.10-198.51.100.14', { occupied: nodes });
  const message = (own: Pool, problems: readonly Problem[] = []) =>
    changeObjectStatus(object(), { problems, now, pool: own }, counts)?.conditions?.[0]?.message;
  const named =
    '198.51.100.10 (an address of node b), 198.51.100.11 (an address of node a), 198.51.100.12 (an address of node c) and 1 more.';
  assert.equal(
    message(lan),
    `Everything in the object is in use as written, but nobody gets what is somebody's: ${named}`,
  );
  assert.equal(message(lan, [overlap]), `x.\nNobody gets what is somebody's: ${named}`);
  const excluded = [range('198.51.100.10-198.51.100.13')];
  assert.equal(message({ ...lan, excluded }), 'Everything in the object is in use as written.');
});

test('a pool says how many of its addresses other machines use: those are no room', () => {
  const lan = pool('lan', '198.51.100.1-198.51.100.4');
  const strangers = strangersIn(lan, [
    sighting('198.51.100.1'),
    sighting('198.51.100.2'),
    sighting('198.51.100.3', { state: 'Contested' }),
  ]);
  const town = new Town([{ ...lan, ...(strangers && { foreign: strangers }) }]);
  const use = readUse('lan', town.pools[0], town.ledger, noNodes);
  assert.deepEqual([use.quarantined, use.contested, use.availableIPv4], [2, 1, 2]);
  const status = changeObjectStatus(object(), { problems: [], now }, use);
  assert.match(
    status?.conditions?.find(({ type }) => type === 'Room')?.message ?? '',
    /0 of 2 IPv4 addresses in use, and 2 more by other machines/,
  );
});

test('a pool lists who has its addresses, those first that it does not give any more', () => {
  const town = new Town([pool('lan', '198.51.100.1-198.51.100.3')]);
  for (const name of ['a', 'b', 'c']) town.serve(request(name));
  const shrunk = pool('lan', '198.51.100.1-198.51.100.2');
  assert.deepEqual(readUse('lan', shrunk, town.ledger, noNodes).holders, [
    { address: '198.51.100.3', services: ['default/c'], draining: true },
    { address: '198.51.100.1', services: ['default/a'] },
    { address: '198.51.100.2', services: ['default/b'] },
  ]);
  const many = new Town([pool('lan', '198.51.100.1-198.51.100.200')]);
  for (let index = 0; index < 100; index++) many.serve(request(`s${index}`));
  const { holders, assignedIPv4 } = readUse('lan', many.pools[0], many.ledger, noNodes);
  assert.deepEqual([holders.length, holders[0]?.address, assignedIPv4], [64, '198.51.100.1', 100]);
});

test('the model is read again only when an object says something else', () => {
  let readings = 0;
  const catalogue = new Catalogue(() => {
    readings++;
    return { pools: [], advertisements: [] };
  });
  const written = { ...object(), spec: { addresses: ['198.51.100.0/24'] } };
  assert.equal(catalogue.take('lan', written), true);
  assert.equal(catalogue.take('lan', { ...written, status: { assignedIPv4: 1 } } as never), false);
  assert.equal(catalogue.model, catalogue.model);
  assert.equal(readings, 1);
  assert.equal(catalogue.take('lan', undefined), true);
  assert.equal(catalogue.take('lan', undefined), false);
  assert.equal(catalogue.model.pools.length, 0);
  assert.equal(readings, 2);
});
