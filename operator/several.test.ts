import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { address, dualStack, pool, request, type ServiceCase, Town } from './testing/town.ts';

const count = (wanted: number, extra: ServiceCase = {}): ServiceCase => ({
  ...extra,
  annotations: { 'metallb.io/address-count': `${wanted}` },
});

const lan = pool('lan', '198.51.100.1-198.51.100.4');

describe('several addresses for one Service', () => {
  test('are the lowest free ones of one pool, or none', () => {
    const town = new Town([pool('a-small', '203.0.113.1'), lan]);
    assert.equal(town.serve(request('a', count(2))), '198.51.100.1 198.51.100.2');
    assert.equal(town.serve(request('b', count(3))), '');
    assert.equal(town.serve(request('b', count(2))), '198.51.100.3 198.51.100.4');
  });

  test('can be more or fewer later: what it has it keeps', () => {
    const town = new Town([lan]);
    town.serve(request('a'));
    town.serve(request('b'));
    assert.equal(town.serve(request('a', count(3))), '198.51.100.1 198.51.100.3 198.51.100.4');
    assert.equal(town.serve(request('c')), '');
    assert.equal(town.serve(request('a', count(1))), '198.51.100.1');
    assert.equal(town.serve(request('c')), '198.51.100.3');
  });

  test('that cannot all be had leave it what it has', () => {
    const town = new Town([lan]);
    town.serve(request('a'));
    assert.equal(town.serve(request('a', count(5))), '198.51.100.1');
  });

  test('can be asked for by value', () => {
    const town = new Town([lan]);
    const annotations = { 'metallb.io/loadBalancerIPs': '198.51.100.4, 198.51.100.2' };
    assert.equal(town.serve(request('a', { annotations })), '198.51.100.4 198.51.100.2');
  });

  test('are as many of each family', () => {
    const both = pool('both', ['198.51.100.1-198.51.100.9', '2001:db8::1-2001:db8::9']);
    const town = new Town([both]);
    const wish = request('a', count(2, dualStack('RequireDualStack')));
    assert.equal(town.serve(wish), '198.51.100.1 198.51.100.2 2001:db8::1 2001:db8::2');
  });

  test('are those reserved for it before any other', () => {
    const reservations = new Map([
      ['default/a', [address('198.51.100.3'), address('198.51.100.4')]],
    ]);
    const town = new Town([{ ...lan, reservations }]);
    const wish = request('a', count(3));
    assert.equal(town.serve(wish), '198.51.100.3 198.51.100.4 198.51.100.1');
  });

  test('rested ones go first, and then those that still rest', () => {
    const town = new Town([lan], 60_000);
    for (const name of ['a', 'b', 'c']) town.serve(request(name));
    for (const name of ['a', 'b', 'c']) town.drop(`default/${name}`);
    assert.equal(town.serve(request('d', count(3))), '198.51.100.4 198.51.100.1 198.51.100.2');
  });

  test('count against the quota one by one', () => {
    const allocation = { maxPerNamespace: 2 };
    const town = new Town([pool('lan', '198.51.100.1-198.51.100.4', { allocation })]);
    assert.equal(town.serve(request('a', count(3))), '');
    assert.equal(town.serve(request('a', count(2))), '198.51.100.1 198.51.100.2');
    assert.equal(town.serve(request('b')), '');
  });
});
