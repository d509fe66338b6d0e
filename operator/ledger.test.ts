import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Address, formatAddress } from '../net/address.ts';
import { poolContains } from './pool-addresses.ts';
import { address, dualStack, pool, range, request, terms, Town } from './testing/town.ts';
import { Ledger } from './ledger.ts';

const lan = range('198.51.100.1-198.51.100.9');
const one = address('198.51.100.1');
const two = address('198.51.100.2');

const hold = (ledger: Ledger, service: string, ...addresses: Address[]) =>
  ledger.hold(service, { addresses, pool: 'lan', terms: terms('TCP/80') });

test('an old address stays its holder’s until the status says the new one', () => {
  const ledger = new Ledger(0);
  hold(ledger, 'a', one);
  hold(ledger, 'a', two);
  assert.equal(ledger.obstacle(one, { service: 'b', terms: terms() })?.holder, 'a');
  assert.deepEqual(ledger.settle('a', 0), [one]);
  assert.equal(ledger.obstacle(one, { service: 'b', terms: terms() }), undefined);
});

test('a Service that goes back before the status was written has lost nothing', () => {
  const ledger = new Ledger(0);
  hold(ledger, 'a', one);
  hold(ledger, 'a', two);
  hold(ledger, 'a', one);
  assert.deepEqual(ledger.settle('a', 0), [two]);
  assert.deepEqual(ledger.holdingOf('a')?.addresses, [one]);
});

// MetalLB: TestPoolMetrics
test('a shared address is counted once, and free when its last holder has gone', () => {
  const ledger = new Ledger(0);
  const shared = (port: string) => ({ ports: [port], sharing: 'k', namespaces: [], backend: '' });
  ledger.hold('a', { addresses: [one], pool: 'lan', terms: shared('TCP/80') });
  ledger.hold('b', { addresses: [one], pool: 'lan', terms: shared('TCP/81') });
  assert.deepEqual(ledger.inUse('lan'), { IPv4: 1, IPv6: 0 });
  assert.deepEqual(ledger.forget('a', 0), [one]);
  assert.equal(ledger.obstacle(one, { service: 'c', terms: shared('TCP/80') }), undefined);
  assert.equal(ledger.obstacle(one, { service: 'c', terms: shared('TCP/81') })?.conflict, 'port');
  assert.deepEqual(ledger.forget('b', 0), [one]);
  assert.deepEqual(ledger.inUse('lan'), { IPv4: 0, IPv6: 0 });
  assert.deepEqual([...ledger.sharedUnder('k')], []);
});

test('an address under a new pool name is counted there', () => {
  const ledger = new Ledger(0);
  hold(ledger, 'a', one);
  ledger.hold('a', { addresses: [one], pool: 'office', terms: terms() });
  assert.deepEqual(ledger.inUse('lan'), { IPv4: 0, IPv6: 0 });
  assert.deepEqual(ledger.inUse('office'), { IPv4: 1, IPv6: 0 });
});

test('a released address rests its time, even when it was barred and unbarred meanwhile', () => {
  const ledger = new Ledger(1_000);
  hold(ledger, 'a', one);
  ledger.forget('a', 0);
  ledger.bar(one);
  ledger.unbar();
  assert.deepEqual(ledger.lowestFree(lan, true), two);
  assert.deepEqual(ledger.lowestFree(lan, false), one);
  ledger.wake(999);
  assert.deepEqual(ledger.lowestFree(lan, true), two);
  ledger.wake(1_000);
  assert.deepEqual(ledger.lowestFree(lan, true), one);
});

test('an address that is shunned is given where nothing else is free, and like any other after its time', () => {
  const ledger = new Ledger(0);
  ledger.shun(one, 1_000);
  ledger.bar(one);
  ledger.unbar();
  assert.deepEqual(ledger.lowestFree(lan, true), two);
  assert.deepEqual(ledger.lowestFree(lan, false), one);
  ledger.wake(1_000);
  assert.deepEqual(ledger.lowestFree(lan, true), one);
});

test('an address taken out of its rest and released again rests anew', () => {
  const ledger = new Ledger(1_000);
  hold(ledger, 'a', one);
  ledger.forget('a', 0);
  hold(ledger, 'a', one);
  ledger.wake(1_000);
  assert.deepEqual(ledger.lowestFree(lan, true), two);
  ledger.forget('a', 1_500);
  ledger.wake(2_000);
  assert.deepEqual(ledger.lowestFree(lan, true), two);
});

const pools = [
  pool('a', ['198.51.100.254-198.51.101.2', '2001:db8::1-2001:db8::3'], { avoidBuggyIPs: true }),
  pool('b', '203.0.113.1-203.0.113.3'),
  pool('c', '2001:db8:1::1-2001:db8:1::2'),
];
const inTheirPools = (town: Town, key: string) => {
  const held = town.ledger.holdingOf(key);
  const home = pools.find(({ name }) => name === held?.pool);
  return held?.addresses.every((each) => home !== undefined && poolContains(home, each)) ?? true;
};

const wish = fc.record({
  name: fc.constantFrom('p', 'q', 'r', 's', 't', 'u'),
  port: fc.integer({ min: 80, max: 82 }),
  key: fc.constantFrom('', 'k'),
  families: fc.constantFrom('SingleStack', 'PreferDualStack', 'RequireDualStack'),
  pool: fc.constantFrom(undefined, undefined, 'a', 'b', 'c', 'none'),
  drop: fc.integer({ min: 0, max: 3 }).map((number) => number === 0),
});
type Wish = typeof wish extends fc.Arbitrary<infer T> ? T : never;

function asked({ name, port, key, families, pool: from }: Wish) {
  const annotations = {
    'metallb.io/allow-shared-ip': key,
    ...(from === undefined ? {} : { 'metallb.io/address-pool': from }),
  };
  const policy = families as 'SingleStack';
  const { spec } = policy === 'SingleStack' ? {} : dualStack(policy);
  return request(name, { annotations, spec: { ...spec, ports: [{ port }] } });
}

test('no address is given twice and none outside its pool, whatever is asked and released', () => {
  fc.assert(
    fc.property(fc.array(wish, { maxLength: 40 }), (wishes) => {
      const town = new Town(pools, 10);
      const last = new Map<string, ReturnType<typeof asked>>();
      for (const each of wishes) {
        town.nowMs += 3;
        const want = asked(each);
        if (each.drop) town.drop(want.service);
        else town.serve(want);
        if (each.drop) last.delete(want.service);
        else last.set(want.service, want);
      }
      const users = new Map<string, string>();
      for (const [key] of last) {
        assert.ok(inTheirPools(town, key), `${key} is within its pool`);
        const held = town.ledger.holdingOf(key);
        for (const each of held?.addresses ?? []) {
          for (const port of held?.terms.ports ?? []) {
            const at = `${formatAddress(each)} ${port}`;
            assert.equal(users.get(at), undefined, `${at} has one user`);
            users.set(at, key);
          }
          const obstacle = held && town.ledger.obstacle(each, { service: key, terms: held.terms });
          assert.equal(obstacle, undefined);
        }
      }
    }),
    { numRuns: 150 },
  );
});

test('adopting what was assigned and has settled, in any order, changes nothing', () => {
  const names = ['p', 'q', 'r', 's', 't', 'u'];
  const order = fc.shuffledSubarray(names, { minLength: names.length });
  fc.assert(
    fc.property(fc.array(wish, { maxLength: 20 }), order, (wishes, again) => {
      const town = new Town(pools);
      const last = new Map<string, ReturnType<typeof asked>>();
      for (const each of wishes) {
        const want = asked(each);
        town.serve(want);
        last.set(want.service, want);
      }
      // A change of one may let another share its address: who prefers two families then gets the second.
      for (const want of [...last.values(), ...last.values()]) town.serve(want);
      const restarted = new Town(pools);
      for (const name of again) {
        const held = town.ledger.holdingOf(`default/${name}`);
        if (held !== undefined) restarted.ledger.adopt(`default/${name}`, held);
      }
      for (const name of again) {
        const want = last.get(`default/${name}`);
        const before = town.held(`default/${name}`);
        if (want !== undefined && before !== '') assert.equal(restarted.serve(want), before);
      }
    }),
    { numRuns: 100 },
  );
});

// MetalLB: TestControllerMutation (in shuffled order)
test('those who ask for different addresses get them, in whatever order they come', () => {
  const names = ['1', '2', '3'];
  const order = fc.shuffledSubarray(names, { minLength: names.length });
  fc.assert(
    fc.property(order, (coming) => {
      const town = new Town(pools);
      for (const n of coming)
        town.serve(request(n, { spec: { loadBalancerIP: `203.0.113.${n}` } }));
      for (const n of names) assert.equal(town.held(`default/${n}`), `203.0.113.${n}`);
    }),
  );
});

test('what is released comes back to who asks when nothing else is free, rest or no rest', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 }), fc.nat(100), (index, restMs) => {
      const town = new Town([pool('b', '203.0.113.1-203.0.113.3')], restMs);
      const names = ['x', 'y', 'z'];
      for (const name of names) town.serve(request(name));
      const freed = town.held(`default/${names[index]}`);
      town.drop(`default/${names[index]}`);
      assert.equal(town.serve(request('next')), freed);
    }),
  );
});

test('a /16 fills without looking at what is taken, and so does an IPv6 /64', () => {
  const wide = pool('wide', '198.51.0.0-198.51.255.255');
  const six = pool('six', '2001:db8::-2001:db8::ffff:ffff:ffff:ffff');
  const template = request('x');
  for (const [pools, families] of [
    [[wide], ['IPv4']],
    [[six], ['IPv6']],
  ] as const) {
    const town = new Town(pools);
    const startMs = performance.now();
    for (let index = 0; index < 65_536; index++) {
      town.serve({ ...template, families, service: `default/${index}` });
    }
    const tookMs = performance.now() - startMs;
    const { IPv4, IPv6 } = town.ledger.inUse(pools[0].name);
    assert.equal(IPv4 + IPv6, 65_536);
    // Far above what it takes, far below what a search over the taken ones would: 2^31 steps.
    assert.ok(tookMs < 3_000, `took ${Math.round(tookMs)} ms`);
  }
});
