import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Family } from '../net/address.ts';
import type { Pool } from '../crds/pool.ts';
import { namespaceOf } from './namespace-use.ts';
import { type Request, readRequest } from './request.ts';
import { Street } from './testing/street.ts';
import {
  address,
  dualStack,
  pool,
  range,
  request,
  service,
  type ServiceCase,
  sighting,
  Town,
} from './testing/town.ts';

const never = ['198.51.100.0', '198.51.100.2', '2001:db8::2'];
const excluded = [range('198.51.100.2'), range('2001:db8::2')];
const owners = { '198.51.100.3': 'red/a', '2001:db8::1': 'blue/b' };
const reservations = new Map(
  Object.entries(owners).map(([text, owner]) => [owner, [address(text)]]),
);
/** Two pools in which every rule about single addresses counts, and room is scarce. */
const ruled: readonly Pool[] = [
  pool('first', ['198.51.100.0-198.51.100.5', '2001:db8::1-2001:db8::3'], {
    avoidBuggyIPs: true,
    excluded,
    reservations,
    allocation: { maxPerNamespace: 2 },
  }),
  pool('second', '203.0.113.1-203.0.113.2'),
];

const wish = fc.record({
  namespace: fc.constantFrom('red', 'blue'),
  name: fc.constantFrom('a', 'b', 'c'),
  policy: fc.constantFrom('SingleStack', 'SingleStack', 'PreferDualStack', 'RequireDualStack'),
  port: fc.integer({ min: 80, max: 82 }),
  notes: fc.record(
    {
      'allow-shared-ip': fc.constant('k'),
      'share-with-namespaces': fc.constant('*'),
      'address-count': fc.constantFrom('2', '3'),
      'address-pool': fc.constantFrom('first', 'second'),
      loadBalancerIPs: fc.constantFrom(
        '198.51.100.2',
        '198.51.100.3',
        '198.51.100.1, 198.51.100.3, 198.51.100.4',
        '198.51.100.4, 198.51.100.5',
        '198.51.100.1, 2001:db8::1',
      ),
    },
    { requiredKeys: [] },
  ),
  leaves: fc.integer({ min: 0, max: 4 }).map((number) => number === 0),
});
type Wish = typeof wish extends fc.Arbitrary<infer T> ? T : never;

/** What is asked for; undefined where it cannot be read. */
function asked({ namespace, name, policy, port, notes }: Wish) {
  const annotations = Object.fromEntries(
    Object.entries(notes).map(([note, value]) => [`metallb.io/${note}`, value]),
  );
  const dual = policy as 'SingleStack' | 'PreferDualStack';
  const { spec } = dual === 'SingleStack' ? {} : dualStack(dual);
  const wanted: ServiceCase = { namespace, annotations, spec: { ...spec, ports: [{ port }] } };
  const reading = readRequest(service(name, wanted), undefined);
  return reading.kind === 'request' ? reading.request : undefined;
}

/** Every address that is held, with those who hold it. */
function holders(town: Town, keys: Iterable<string>): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const key of keys)
    for (const text of town.held(key).split(' ').filter(Boolean))
      found.set(text, [...(found.get(text) ?? []), key]);
  return found;
}

/** Whether nobody else has the address, or all that do share it. */
function mayJoin({ ledger }: Town, key: string, text: string): boolean {
  const { terms } = ledger.holdingOf(key) ?? {};
  return (
    terms !== undefined &&
    ledger.obstacle(address(text), { service: key, terms }, true) === undefined
  );
}

const familyOf = (text: string): Family => (text.includes(':') ? 'IPv6' : 'IPv4');

function assertWithinRules(held: ReadonlyMap<string, readonly string[]>): void {
  const used = new Map<string, Set<string>>();
  for (const [text, keys] of held) {
    assert.ok(!never.includes(text), `${text} is avoided or excluded`);
    const owner = new Map(Object.entries(owners)).get(text);
    if (owner !== undefined) assert.deepEqual(keys, [owner], `${text} is reserved`);
    if (text.startsWith('203.')) continue;
    for (const key of keys) {
      const quota = `${namespaceOf(key)} ${familyOf(text)}`;
      used.set(quota, (used.get(quota) ?? new Set()).add(text));
    }
  }
  for (const [quota, { size }] of used) assert.ok(size <= 2, `${quota} has ${size}`);
}

test('whatever is asked for and released, nothing is given that a pool excludes, avoids, reserves or counts too much', () => {
  fc.assert(
    fc.property(fc.array(wish, { maxLength: 30 }), (wishes) => {
      const town = new Town(ruled, 10);
      const keys = new Set<string>();
      for (const each of wishes) {
        const want = asked(each);
        if (want === undefined) continue;
        town.nowMs += 3;
        keys.add(want.service);
        if (each.leaves) town.drop(want.service);
        else town.serve(want);
        assertWithinRules(holders(town, keys));
      }
    }),
    { numRuns: 300 },
  );
});

const sightings = fc.uniqueArray(
  fc.record({
    text: fc.constantFrom(
      '198.51.100.1',
      '198.51.100.3',
      '198.51.100.4',
      '203.0.113.1',
      '2001:db8::1',
    ),
    state: fc.constantFrom('Quarantined' as const, 'Quarantined' as const, 'Contested' as const),
    mac: fc.constantFrom('52:54:00:00:00:01', '52:54:00:00:00:02'),
  }),
  { selector: ({ text }) => text },
);

test('whatever other machines come and go, nobody is given what one of them has, and nobody is left without', () => {
  const happening = fc.oneof(wish, sightings);
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 30 }), (happenings) => {
      const street = new Street(ruled);
      let used: ReadonlyMap<string, string> = new Map();
      const present = new Map<string, Request>();
      const serve = (want: Request) => {
        const before = street.held(want.service).split(' ').filter(Boolean);
        const now = street.serve(want).split(' ').filter(Boolean);
        const gained = now.filter((text) => !before.includes(text));
        for (const text of gained)
          assert.notEqual(used.get(text), 'Quarantined', `${text} is taken`);
      };
      for (const each of happenings) {
        if (Array.isArray(each)) {
          street.see(...each.map(({ text, ...rest }) => sighting(text, rest)));
          used = new Map(each.map(({ text, state }) => [text, state]));
          for (const want of present.values()) {
            const before = street.held(want.service);
            serve(want);
            assert.ok(
              before === '' || street.held(want.service) !== '',
              `${want.service} loses all`,
            );
          }
        } else {
          const want = asked(each);
          if (want === undefined) continue;
          if (each.leaves) {
            street.drop(want.service);
            present.delete(want.service);
          } else {
            present.set(want.service, want);
            serve(want);
          }
        }
        for (const [text, keys] of holders(street, present.keys()))
          for (const one of keys)
            assert.ok(mayJoin(street, one, text), `${one} and others have ${text}`);
      }
    }),
    { numRuns: 300 },
  );
});

test('the same events are always decided in the same way', () => {
  fc.assert(
    fc.property(fc.array(wish, { maxLength: 30 }), (wishes) => {
      const [one, other] = [new Town(ruled, 10), new Town(ruled, 10)];
      for (const each of wishes) {
        const want = asked(each);
        if (want === undefined) continue;
        const decisions = [one, other].map((town) => {
          town.nowMs += 3;
          const decision = town.decide(want);
          town.serve(want);
          return decision;
        });
        assert.deepEqual(decisions[0], decisions[1]);
      }
    }),
    { numRuns: 100 },
  );
});

type Arrival = { readonly pool: Pool } | { readonly wish: Request };

/** Lets Services and pools come one by one; at each arrival those who wait are tried, in the order in which they came. */
function arrive(arrivals: readonly Arrival[]): Town {
  const town = new Town([]);
  const present: Request[] = [];
  for (const arrival of arrivals) {
    if ('wish' in arrival) present.push(arrival.wish);
    else town.pools = [...town.pools, arrival.pool].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    for (const each of present) town.serve(each);
  }
  return town;
}

const shuffled = <T>(items: readonly T[]) =>
  fc.shuffledSubarray([...items], { minLength: items.length });

/**
 * What does not depend on the order of events. Who goes without where addresses are scarce does: first come, first served.
 * So does which of several fitting addresses somebody has: nobody is moved for a tidier picture.
 */
describe('in whatever order Services and pools come,', () => {
  test('everybody has what it asks for, where every pool has room for all that it is for', () => {
    const reds = { allocation: { namespaces: new Set(['red']), priority: 1 } };
    const pools = [
      pool('all', '198.51.100.1-198.51.100.12'),
      pool('asked', '203.0.113.1-203.0.113.12', { autoAssign: false }),
      pool('both', ['198.51.100.101-198.51.100.112', '2001:db8::1-2001:db8::c']),
      pool('reds', '198.51.100.201-198.51.100.212', reds),
    ];
    const wishes = [
      request('a', { namespace: 'red' }),
      request('b', { annotations: { 'metallb.io/address-pool': 'asked' } }),
      request('c', dualStack('RequireDualStack')),
      request('d', { annotations: { 'metallb.io/address-count': '2' } }),
      request('e', { annotations: { 'metallb.io/loadBalancerIPs': '203.0.113.12' } }),
      request('f'),
    ];
    const counts = { a: 1, b: 1, c: 2, d: 2, e: 1, f: 1 };
    const arrivals = [
      ...pools.map((each) => ({ pool: each })),
      ...wishes.map((each) => ({ wish: each })),
    ];
    fc.assert(
      fc.property(shuffled<Arrival>(arrivals), (order) => {
        const town = arrive(order);
        for (const [name, count] of Object.entries(counts)) {
          const held = town.held(`${name === 'a' ? 'red' : 'default'}/${name}`);
          assert.equal(held.split(' ').filter(Boolean).length, count, `${name} has ${held}`);
        }
        assert.equal(town.held('default/e'), '203.0.113.12');
      }),
    );
  });

  test('of Services that ask for the same as many have an address as there are, from the lowest on', () => {
    const few = [pool('p', '198.51.100.1-198.51.100.3'), pool('q', '203.0.113.1-203.0.113.3')];
    const arrivals = fc
      .nat(8)
      .map((most) => [
        ...few.map((each) => ({ pool: each })),
        ...Array.from({ length: most }, (_, index) => ({ wish: request(`s${index}`) })),
      ]);
    fc.assert(
      fc.property(
        arrivals.chain((all) => shuffled<Arrival>(all)),
        (order) => {
          const keys = order.flatMap((one) => ('wish' in one ? [one.wish.service] : []));
          const held = holders(arrive(order), keys);
          assert.equal(held.size, Math.min(keys.length, 6));
          for (const prefix of ['198.51.100.', '203.0.113.']) {
            const used = [1, 2, 3].map((host) => held.has(`${prefix}${host}`));
            assert.deepEqual(
              used,
              used.toSorted((a, b) => Number(b) - Number(a)),
            );
          }
        },
      ),
    );
  });
});

test('what is released is what the next one gets where nothing else is free, whatever the pool is like', () => {
  const shapes = [
    pool('plain', ['198.51.100.1-198.51.100.4']),
    pool('holed', ['198.51.100.0-198.51.100.6'], { avoidBuggyIPs: true, excluded }),
    pool('split', ['198.51.100.1', '198.51.100.9', '203.0.113.1-203.0.113.2']),
  ];
  fc.assert(
    fc.property(fc.constantFrom(...shapes), fc.nat(9), fc.nat(100), (shape, which, restMs) => {
      const town = new Town([shape], restMs);
      const served: string[] = [];
      for (let index = 0; town.serve(request(`s${index}`)) !== ''; index++)
        served.push(`default/s${index}`);
      const leaver = served[which % served.length] ?? '';
      const freed = town.held(leaver);
      town.drop(leaver);
      assert.equal(town.serve(request('next')), freed);
      assert.equal(town.serve(request('late')), '');
    }),
  );
});
