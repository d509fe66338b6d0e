import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nodeNetworkKind } from '../crds/names.ts';
import { kinds } from '../kube/kinds.ts';
import type { KubeObject, Node } from '../kube/object.ts';
import { Catalogue } from './catalogue.ts';
import { Street } from './testing/street.ts';
import {
  address,
  dualStack,
  pool,
  request,
  type ServiceCase,
  sighting,
  type Town,
} from './testing/town.ts';

const lan = pool('lan', '198.51.100.1-198.51.100.4');
const used =
  '198.51.100.1 of pool lan is used by another machine with MAC 52:54:00:00:00:99 (seen by a on eth0)';

const pinned = (ips: string): ServiceCase => ({
  annotations: { 'metallb.io/loadBalancerIPs': ips },
});
const shared = (port: number): ServiceCase => ({
  annotations: { 'metallb.io/allow-shared-ip': 'k' },
  spec: { ports: [{ port }] },
});

/** Why a Service has not what it asks for. */
function told(town: Town, name: string, extra: ServiceCase = {}): string {
  const decision = town.decide(request(name, extra));
  const why = 'refusal' in decision ? decision.refusal : undefined;
  return why === undefined ? '' : `${why.reason}: ${why.detail}`;
}

describe('an address that another machine uses', () => {
  test('is given to nobody, whoever asks and however', () => {
    const reservations = new Map([['default/owner', [address('198.51.100.1')]]]);
    const town = new Street([{ ...lan, reservations }], sighting('198.51.100.1'));
    assert.equal(told(town, 'pinned', pinned('198.51.100.1')), `AddressQuarantined: ${used}`);
    assert.equal(town.serve(request('owner')), '198.51.100.2');
    assert.equal(town.serve(request('b')), '198.51.100.3');
    assert.equal(town.serve(request('c')), '198.51.100.4');
    assert.equal(
      told(town, 'd'),
      'PoolExhausted: pool lan: 3 of 3 IPv4 addresses in use, and 1 more by other machines',
    );
  });

  test('is left by the Service that has it, which gets another one', () => {
    const town = new Street([lan]);
    town.serve(request('a'));
    town.see(sighting('198.51.100.1'));
    const decision = town.decide(request('a'));
    assert.deepEqual(decision, {
      kind: 'assign',
      addresses: [address('198.51.100.2')],
      pool: 'lan',
      evades: { reason: 'AddressQuarantined', detail: used },
    });
    assert.equal(town.serve(request('a')), '198.51.100.2');
  });

  test('is free for others when it is seen no more, and who has left it stays away', () => {
    const town = new Street([lan]);
    town.serve(request('a'));
    town.see(sighting('198.51.100.1'));
    town.serve(request('a'));
    town.see();
    assert.equal(town.serve(request('a')), '198.51.100.2');
    assert.equal(town.serve(request('b')), '198.51.100.1');
  });

  test('is left for another pool where its own has no other', () => {
    const next = pool('next', '203.0.113.7');
    const town = new Street([pool('lan', '198.51.100.1'), next]);
    town.serve(request('a'));
    town.see(sighting('198.51.100.1'));
    assert.equal(town.serve(request('a')), '203.0.113.7');
  });

  test('is not left where nothing else is free, until something is', () => {
    const town = new Street([pool('lan', '198.51.100.1-198.51.100.2')]);
    town.serve(request('a'));
    town.serve(request('b'));
    town.see(sighting('198.51.100.1'));
    assert.equal(
      told(town, 'a'),
      `AddressQuarantined: ${used}, and there is no replacement: pool lan: 2 of 1 IPv4 addresses in use, and 1 more by other machines`,
    );
    assert.equal(town.serve(request('a')), '198.51.100.1');
    town.drop('default/b');
    assert.equal(town.serve(request('a')), '198.51.100.2');
  });

  test('is kept by who asked for it, by value or by name of a reservation', () => {
    const reservations = new Map([['default/owner', [address('198.51.100.2')]]]);
    const town = new Street([{ ...lan, reservations }]);
    const inSpec = { spec: { loadBalancerIP: '198.51.100.3' } };
    town.serve(request('noted', pinned('198.51.100.1')));
    town.serve(request('owner'));
    town.serve(request('asked', inSpec));
    town.see(
      ...['198.51.100.1', '198.51.100.2', '198.51.100.3'].map((each) =>
        sighting(each, { mac: `52:54:00:00:00:0${each.at(-1)}` }),
      ),
    );
    assert.match(
      told(town, 'noted', pinned('198.51.100.1')),
      /^AddressQuarantined: .* MAC 52:54:00:00:00:01 \(seen by a on eth0\)$/,
    );
    assert.match(told(town, 'owner'), /^AddressQuarantined: .* and reserved for this Service$/);
    assert.match(told(town, 'asked', inSpec), /^AddressQuarantined: /);
    assert.equal(town.serve(request('noted', pinned('198.51.100.1'))), '198.51.100.1');
    assert.equal(town.serve(request('owner')), '198.51.100.2');
    assert.equal(town.serve(request('asked', inSpec)), '198.51.100.3');
    town.see();
    assert.equal(told(town, 'noted', pinned('198.51.100.1')), '');
  });

  test('is kept together with the others, where one that is reserved is among those', () => {
    const reservations = new Map([['default/owner', [address('198.51.100.2')]]]);
    const two = { annotations: { 'metallb.io/address-count': '2' } };
    const town = new Street([{ ...lan, reservations }]);
    assert.equal(town.serve(request('owner', two)), '198.51.100.2 198.51.100.1');
    const other = '52:54:00:00:00:98';
    town.see(sighting('198.51.100.1'), sighting('198.51.100.2', { mac: other }));
    assert.match(told(town, 'owner', two), /198\.51\.100\.2 .* and reserved for this Service$/);
    assert.equal(town.serve(request('owner', two)), '198.51.100.2 198.51.100.1');
  });

  test('is all that a Service with several gives up', () => {
    const both = pool('both', ['198.51.100.1-198.51.100.4', '2001:db8::1-2001:db8::4']);
    const town = new Street([both]);
    assert.equal(
      town.serve(request('a', dualStack('RequireDualStack'))),
      '198.51.100.1 2001:db8::1',
    );
    town.see(sighting('2001:db8::1'));
    assert.equal(
      town.serve(request('a', dualStack('RequireDualStack'))),
      '198.51.100.1 2001:db8::2',
    );
  });

  test('is left together by those who share it', () => {
    const town = new Street([lan]);
    for (const port of [80, 443]) town.serve(request(`s${port}`, shared(port)));
    town.see(sighting('198.51.100.1'));
    for (const port of [80, 443])
      assert.equal(town.serve(request(`s${port}`, shared(port))), '198.51.100.2');
  });

  test('moves a Service only so often', () => {
    const town = new Street([lan]);
    town.serve(request('a'));
    town.see(sighting('198.51.100.1'));
    town.stayMs = 7_000;
    assert.deepEqual(town.decide(request('a')), {
      kind: 'refuse',
      refusal: {
        reason: 'AddressQuarantined',
        detail: `${used}, and it has moved 3 times in 10 minutes, each time to such an address`,
      },
      againAfterMs: 7_000,
    });
  });

  test('moves nobody where the machine has most of the pool: the pool says so', () => {
    const town = new Street([lan]);
    town.serve(request('a'));
    const problems = town.see(
      ...['198.51.100.1', '198.51.100.2', '198.51.100.3'].map((each) => sighting(each)),
    );
    assert.match(
      told(town, 'a'),
      /^AddressQuarantined: .*, and no Service moves: .* MAC 52:54:00:00:00:99 uses 3 addresses of the pool/,
    );
    assert.deepEqual(
      problems.map(({ reason, name }) => `${reason} ${name}`),
      ['PoolQuarantined lan'],
    );
    assert.match(problems[0]?.detail ?? '', /MAC 52:54:00:00:00:99 uses 3 addresses.*proxy ARP/);
  });
});

describe('what a node says of other machines', () => {
  const status = {
    links: [
      {
        name: 'eth0',
        foreign: [
          {
            address: '198.51.100.1',
            mac: '52:54:00:00:00:99',
            since: '2026-11-21T10:00:00Z',
            state: 'Quarantined',
          },
        ],
      },
    ],
  };
  const node: KubeObject = { metadata: { name: 'a' } };
  const report = { metadata: { name: 'a' }, status } as KubeObject;
  const lanObject = {
    metadata: { name: 'lan', namespace: 'metallb-system' },
    spec: { addresses: ['198.51.100.0/24'] },
  };

  test('counts for as long as there is such a node, whatever becomes of what it has said', () => {
    const catalogue = new Catalogue(() => ({ pools: [lanObject], advertisements: [] }));
    const quarantined = () => catalogue.model.pools[0]?.foreign?.quarantined.size ?? 0;
    catalogue.survey(nodeNetworkKind, 'a', report);
    assert.equal(quarantined(), 0);
    assert.equal(catalogue.survey(kinds.node, 'a', node), true);
    assert.equal(quarantined(), 1);
    assert.equal(catalogue.survey(kinds.node, 'a', undefined), true);
    assert.equal(quarantined(), 0);
  });

  test('does not count while nothing is heard of the node, unless it has been seen since', () => {
    const conditions = (status: 'True' | 'False' | 'Unknown', at?: string): Node => {
      const since = at === undefined ? {} : { lastTransitionTime: at };
      return { ...node, status: { conditions: [{ type: 'Ready', status, ...since }] } };
    };
    const stages: readonly [Node, number][] = [
      [conditions('Unknown', '2026-11-21T10:00:01Z'), 0],
      [conditions('True', '2026-11-21T10:02:00Z'), 1],
      [conditions('Unknown', '2026-11-21T09:59:59Z'), 1],
      [conditions('Unknown', '2026-11-21T10:03:00Z'), 0],
      [conditions('False', '2026-11-21T10:04:00Z'), 1],
      [conditions('Unknown', 'never'), 1],
      [conditions('Unknown'), 1],
    ];
    const catalogue = new Catalogue(() => ({ pools: [lanObject], advertisements: [] }));
    catalogue.survey(nodeNetworkKind, 'a', report);
    for (const [now, quarantined] of stages) {
      catalogue.survey(kinds.node, 'a', now);
      const said = JSON.stringify(now);
      assert.equal(catalogue.model.pools[0]?.foreign?.quarantined.size ?? 0, quarantined, said);
    }
  });

  test('is no news when it says it again', () => {
    const catalogue = new Catalogue(() => ({ pools: [lanObject], advertisements: [] }));
    assert.equal(catalogue.survey(nodeNetworkKind, 'a', report), true);
    assert.equal(catalogue.survey(nodeNetworkKind, 'a', report), false);
    assert.equal(catalogue.survey(nodeNetworkKind, 'a', node), true);
  });
});

describe('an address that another machine claims while a node answers for it', () => {
  const contest = sighting('198.51.100.1', { state: 'Contested', node: 'b' });

  test('stays with its Service, which is told', () => {
    const town = new Street([lan]);
    town.serve(request('a'));
    town.see(contest);
    assert.equal(told(town, 'a'), `AddressContested: ${used.replace('by a on', 'by b on')}`);
    assert.equal(town.serve(request('a')), '198.51.100.1');
    town.see();
    assert.equal(told(town, 'a'), '');
  });

  test('stays, even where a node that does not answer for it has found it taken', () => {
    const town = new Street([lan]);
    town.serve(request('a'));
    town.see(sighting('198.51.100.1'), contest);
    assert.match(told(town, 'a'), /^AddressContested/);
    assert.equal(town.serve(request('a')), '198.51.100.1');
  });

  test('may be shared, and is given anew to nobody who leaves the choice to us', () => {
    const town = new Street([lan]);
    town.serve(request('s80', shared(80)));
    town.see(contest);
    assert.equal(town.serve(request('s443', shared(443))), '198.51.100.1');
    town.drop('default/s80');
    town.drop('default/s443');
    assert.equal(town.serve(request('b')), '198.51.100.2');
  });

  test('does not keep its Service from the other family', () => {
    const town = new Street(
      [pool('both', ['198.51.100.1', '2001:db8::1'])],
      sighting('2001:db8::1'),
    );
    assert.equal(town.serve(request('a', dualStack('PreferDualStack'))), '198.51.100.1');
    town.see(contest);
    assert.match(told(town, 'a', dualStack('PreferDualStack')), /^AddressContested/);
    assert.equal(
      town.serve(request('a', dualStack('PreferDualStack'))),
      '198.51.100.1 2001:db8::1',
    );
  });
});
