import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { adopt } from './adopt.ts';
import { noNodes, pool, request, service, type ServiceCase, Town } from './testing/town.ts';

/** A Service that shares under one key, on a port of its own. */
const sharing = (namespace: string, port: number, withNamespaces?: string): ServiceCase => ({
  namespace,
  annotations: {
    'metallb.io/allow-shared-ip': 'key',
    ...(withNamespaces === undefined ? {} : { 'metallb.io/share-with-namespaces': withNamespaces }),
  },
  spec: { ports: [{ port }] },
});

const town = () => new Town([pool('lan', '198.51.100.1-198.51.100.9')]);

describe('sharing an address', () => {
  test('within a namespace takes the same key, and nobody else’s consent', () => {
    const lan = town();
    assert.equal(lan.serve(request('a', sharing('shop', 80))), '198.51.100.1');
    assert.equal(lan.serve(request('b', sharing('shop', 443))), '198.51.100.1');
  });

  test('across namespaces takes both sides: to know the key is not enough', () => {
    const cases = [
      [undefined, undefined],
      ['lab', undefined],
      [undefined, 'shop'],
      ['other', '*'],
    ] as const;
    for (const [left, right] of cases) {
      const lan = town();
      lan.serve(request('a', sharing('shop', 80, left)));
      assert.equal(lan.serve(request('b', sharing('lab', 443, right))), '198.51.100.2');
    }
    for (const [left, right] of [
      ['lab', 'shop'],
      ['other, lab', '*'],
    ] as const) {
      const lan = town();
      lan.serve(request('a', sharing('shop', 80, left)));
      assert.equal(lan.serve(request('b', sharing('lab', 443, right))), '198.51.100.1');
    }
  });

  test('says whose consent is missing to who asks for the address by value', () => {
    const lan = town();
    lan.serve(request('a', sharing('shop', 80)));
    const wish = sharing('lab', 443, 'shop');
    const annotations = { ...wish.annotations, 'metallb.io/loadBalancerIPs': '198.51.100.1' };
    const decision = lan.decide(request('b', { ...wish, annotations }));
    assert.equal(decision.kind === 'refuse' && decision.refusal.reason, 'AddressTaken');
    assert.match(
      decision.kind === 'refuse' ? decision.refusal.detail : '',
      /shop\/a, of another namespace.*share-with-namespaces/,
    );
  });

  test('goes on where it began before anybody was asked, also for a new operator', () => {
    const lan = town();
    const ips = ['198.51.100.1'];
    const services = [
      service('a', { ...sharing('shop', 80), ips }),
      service('b', { ...sharing('lab', 443), ips }),
    ];
    adopt({ services, pools: lan.pools, nodeWorld: noNodes, lbClass: undefined }, lan.ledger);
    assert.equal(lan.serve(request('a', sharing('shop', 80))), '198.51.100.1');
    assert.equal(lan.serve(request('b', sharing('lab', 443))), '198.51.100.1');
  });
});
