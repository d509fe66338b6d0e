import type { Found } from './town.ts';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Town, Wish } from './town.ts';
import { addresses, both, fromPool } from './wishes.ts';

/** Each new Service gets the address that comes next. Their pools have one each. */
async function fill(town: Town, wish: Wish, ...ips: readonly string[]): Promise<void> {
  for (const ip of ips) {
    const name = `${wish.namespace ?? 'any'}-${ip.replaceAll('.', '-')}`;
    await town.service(name, wish);
    await town.gets(name, ip);
  }
}

const [ten, twenty, none, forAll] = [
  '198.51.100.10',
  '198.51.100.20',
  '198.51.100.30',
  '198.51.100.1',
];
const one = (ip: string): string => `${ip}/32`;

export function describeSelection(found: Found): void {
  describe('the choice among pools', () => {
    describePriorities(found);
    describeServiceSelectors(found);
    describeNamespaceLabels(found);
    describeAdmission(found);
  });
}

function describePriorities(found: Found): void {
  // E45
  test('pools for a namespace are used up by priority, those without one last, and then those for all', async () => {
    await using town = await found();
    const namespace = await town.district('red');
    const forRed = (more: object) => ({ serviceAllocation: { namespaces: [namespace], ...more } });
    await town.pool('a-none', one(none), forRed({}));
    await town.pool('b-twenty', one(twenty), forRed({ priority: 20 }));
    await town.pool('c-ten', one(ten), forRed({ priority: 10 }));
    await town.pool('a-all', one(forAll));
    town.start();
    await fill(town, { namespace }, ten, twenty, none, forAll);
    await town.service('last');
    await town.told('last', 'PoolExhausted');
  });

  // E46
  test('a priority alone ranks a pool for everybody', async () => {
    await using town = await found();
    await town.pool('a-all', one(forAll));
    await town.pool('b-none', one(none), { serviceAllocation: { priority: 0 } });
    await town.pool('c-twenty', one(twenty), { serviceAllocation: { priority: 20 } });
    await town.pool('d-ten', one(ten), { serviceAllocation: { priority: 10 } });
    town.start();
    await fill(town, {}, ten, twenty, none, forAll);
  });

  // E47
  test('namespaces by name and by label add up', async () => {
    await using town = await found();
    const red = await town.district('red');
    const blue = await town.district('blue', { team: 'blue' });
    const namespaceSelectors = [{ matchLabels: { team: 'blue' } }];
    const mixed = { namespaces: [red], namespaceSelectors, priority: 10 };
    await town.pool('both', `${ten}-198.51.100.11`, { serviceAllocation: mixed });
    await town.pool('blue', one(twenty), {
      serviceAllocation: { namespaceSelectors, priority: 20 },
    });
    town.start();
    await fill(town, { namespace: red }, ten);
    await fill(town, { namespace: blue }, '198.51.100.11', twenty);
    await town.service('other');
    await town.told('other', 'NoPoolForService');
  });
}

function describeServiceSelectors(found: Found): void {
  // E48
  test('pools for Services by label go by priority, and a pool for the namespace takes the rest', async () => {
    await using town = await found();
    const namespace = await town.district('red');
    const serviceSelectors = [{ matchLabels: { tier: 'web' } }];
    await town.pool('a-red', one(none), {
      serviceAllocation: { namespaces: [namespace], priority: 30 },
    });
    await town.pool('b-web', one(twenty), {
      serviceAllocation: { serviceSelectors, priority: 20 },
    });
    await town.pool('c-web', one(ten), { serviceAllocation: { serviceSelectors, priority: 10 } });
    town.start();
    await fill(town, { namespace, labels: { tier: 'web' } }, ten, twenty, none);
  });

  // E49; TestControllerMutation: a pool that asks for namespace and label
  test('a pool for namespaces and Services takes both to match', async () => {
    await using town = await found();
    const namespace = await town.district('red');
    const serviceSelectors = [
      { matchExpressions: [{ key: 'tier', operator: 'In', values: ['web'] }] },
    ];
    const narrow = { namespaces: [namespace], serviceSelectors, priority: 5 };
    await town.pool('narrow', `${ten}-198.51.100.19`, { serviceAllocation: narrow });
    await town.pool('red', one(twenty), {
      serviceAllocation: { namespaces: [namespace], priority: 10 },
    });
    await town.pool('web', one(none), { serviceAllocation: { serviceSelectors, priority: 10 } });
    town.start();
    const labels = { tier: 'web' };
    await town.service('both', { namespace, labels });
    await town.gets('both', ten);
    await town.service('namespace-only', { namespace });
    await town.gets('namespace-only', twenty);
    await town.service('label-only', { labels });
    await town.gets('label-only', none);
    await town.service('neither');
    await town.told('neither', 'NoPoolForService');
  });
}

function describeNamespaceLabels(found: Found): void {
  // E50
  test('each namespace draws from the pools for its labels, and when relabelled from others', async () => {
    await using town = await found();
    const red = await town.district('red', { team: 'red' });
    const blue = await town.district('blue', { team: 'blue' });
    const forTeam = (team: string, priority: number) => ({
      serviceAllocation: { priority, namespaceSelectors: [{ matchLabels: { team } }] },
    });
    await town.pool('gold', '203.0.113.1-203.0.113.2', forTeam('gold', 1));
    await town.pool('red', one(ten), forTeam('red', 10));
    await town.pool('blue', one(twenty), forTeam('blue', 10));
    await town.pool('all', '198.51.100.1-198.51.100.2');
    town.start();
    await fill(town, { namespace: red }, ten, '198.51.100.1');
    await fill(town, { namespace: blue }, twenty, '198.51.100.2');
    await town.service('early', { namespace: blue, ...fromPool('gold') });
    await town.told('early', 'PoolNotForService');
    await town.district('blue', { team: 'gold' });
    await town.gets('early', '203.0.113.1');
    await fill(town, { namespace: blue }, '203.0.113.2');
    assert.equal(await town.ips(`${red}-198-51-100-10`), ten);
    assert.equal(await town.ips(`${blue}-198-51-100-20`), twenty, 'who is shut out drains');
  });
}

function describeAdmission(found: Found): void {
  // TestAssignment: pools for a namespace, for labels, for both
  test('nobody gets an address of a pool that is not for it, by no way of asking', async () => {
    await using town = await found();
    const namespace = await town.district('red');
    const serviceSelectors = [{ matchLabels: { tier: 'web' } }];
    const cases = [
      { name: 'namespace', at: '1', allocation: { namespaces: [namespace] }, wish: { namespace } },
      {
        name: 'label',
        at: '2',
        allocation: { serviceSelectors },
        wish: { labels: { tier: 'web' } },
      },
      {
        name: 'both',
        at: '3',
        allocation: { namespaces: [namespace], serviceSelectors },
        wish: { namespace, labels: { tier: 'web' } },
      },
    ];
    town.start();
    for (const { name, at, allocation, wish } of cases) {
      const ip = `198.51.100.${at}`;
      await town.pool(name, one(ip), { serviceAllocation: allocation });
      await town.judged(name);
      await town.service(`${name}-out`, addresses(ip));
      await town.told(`${name}-out`, 'PoolNotForService');
      await town.service(`${name}-named`, fromPool(name));
      await town.told(`${name}-named`, 'PoolNotForService');
      await town.service(`${name}-in`, both(addresses(ip), wish));
      await town.gets(`${name}-in`, ip);
    }
  });

  // E59
  test('a Service of another class is left alone, whatever stands in its status', async () => {
    await using town = await found();
    await town.pool('lan', '198.51.100.0/24');
    town.start();
    await town.service('theirs', { spec: { loadBalancerClass: 'example.com/theirs' } });
    await town.writeStatus('theirs', { ip: '203.0.113.9' });
    const before = await town.read('theirs');
    await town.settle();
    assert.deepEqual(await town.read('theirs'), before);
    assert.deepEqual(await town.events('theirs'), []);
  });
}
