import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseSelector, type Selector } from '../crds/selector.ts';
import type { ServiceSpec } from '../kube/object.ts';
import { formatAddress } from '../net/address.ts';
import { adopt } from './adopt.ts';
import type { RosterNode } from './node-roster.ts';
import { readUse } from './pool-status.ts';
import type { Request } from './request.ts';
import {
  dualStack,
  nodePool,
  pool,
  request,
  rosterNode,
  service,
  type ServiceCase,
  Town,
} from './testing/town.ts';

const [a, b, c] = [
  rosterNode('a', '198.51.100.11'),
  rosterNode('b', '198.51.100.12'),
  rosterNode('c', '198.51.100.13'),
];
const lost = { ready: false, steady: false };
const back = { ready: true, steady: false };
const named = (...names: readonly string[]): Selector => {
  const matchExpressions = [{ key: 'name', operator: 'In', values: names }];
  const selector = parseSelector({ matchExpressions });
  assert.ok(typeof selector !== 'string');
  return selector;
};
const onPort = (port: number, protocol = 'TCP'): ServiceCase & { spec: ServiceSpec } => ({
  spec: { ports: [{ port, protocol }] },
});
const local = (port = 80): ServiceCase => ({
  spec: { ...onPort(port).spec, externalTrafficPolicy: 'Local' },
});
const fromPool = (name: string, extra: ServiceCase = {}): ServiceCase => ({
  ...extra,
  annotations: { ...extra.annotations, 'metallb.io/address-pool': name },
});

/** A town with these nodes, and one pool of all of them unless it is told others. */
function townOf(nodes: readonly RosterNode[], pools = [nodePool('nodes')]): Town {
  const town = new Town(pools);
  setNodes(town, nodes);
  return town;
}

function setNodes(town: Town, nodes: readonly RosterNode[], serving: readonly string[] = []): void {
  town.nodeWorld = { nodes, servingOf: () => new Set(serving) };
}

/** How a Service stands: its addresses, and the reason why that is not all. */
function stand(town: Town, wish: Request): string {
  const decision = town.decide(wish);
  const held = town.serve(wish);
  return 'refusal' in decision && decision.refusal !== undefined
    ? `${decision.refusal.reason} ${held}`
    : held;
}

describe('a Service in a pool of the nodes themselves', () => {
  test('has the address of every node that is Ready, in address order', () => {
    const town = townOf([c, a, { ...b, ...lost }]);
    assert.equal(stand(town, request('web')), '198.51.100.11 198.51.100.13');
    assert.deepEqual(town.decide(request('web')), { kind: 'keep', pool: 'nodes' });
  });

  test('loses the address of a node that goes, and gets that of one that comes', () => {
    const town = townOf([a, b]);
    stand(town, request('web'));
    setNodes(town, [a, { ...b, ...lost }]);
    assert.equal(stand(town, request('web')), '198.51.100.11');
    setNodes(town, [a, b, c]);
    assert.equal(stand(town, request('web')), '198.51.100.11 198.51.100.12 198.51.100.13');
    setNodes(town, [b]);
    assert.equal(stand(town, request('web')), '198.51.100.12');
  });

  test('gets that of a node that came back only when it is steady', () => {
    const town = townOf([a, { ...b, ...back }]);
    assert.equal(stand(town, request('web')), '198.51.100.11');
    setNodes(town, [a, b]);
    assert.equal(stand(town, request('web')), '198.51.100.11 198.51.100.12');
  });

  test('has no address of a node that is excluded or that the pool does not select', () => {
    const some = nodePool('nodes', { selector: named('a', 'b') });
    const town = townOf([a, { ...b, excluded: true }, c], [some]);
    assert.equal(stand(town, request('web')), '198.51.100.11');
  });

  test('has the type of address that the pool says', () => {
    const outer = rosterNode('a', '198.51.100.11', {
      addresses: { InternalIP: a.addresses.InternalIP, ExternalIP: b.addresses.InternalIP },
    });
    const town = townOf([outer, c], [nodePool('nodes', { addressType: 'ExternalIP' })]);
    assert.equal(stand(town, request('web')), '198.51.100.12');
  });

  test('has an address once, though two nodes say that it is theirs', () => {
    assert.equal(
      stand(townOf([a, rosterNode('z', '198.51.100.11')]), request('web')),
      '198.51.100.11',
    );
  });

  test('with the Local policy has those of nodes that serve it', () => {
    const town = townOf([a, b, c]);
    setNodes(town, [a, b, { ...c, ...lost }], ['b', 'c']);
    assert.equal(stand(town, request('web', local())), '198.51.100.12');
    setNodes(town, [a, b, c], ['a']);
    assert.equal(stand(town, request('web', local())), '198.51.100.11');
  });

  test('of two families has both, and says which one no node has', () => {
    const both = rosterNode('a', ['198.51.100.11', '2001:db8::11']);
    const wish = request('web', dualStack('RequireDualStack', 'IPv6', 'IPv4'));
    assert.equal(stand(townOf([both, b]), wish), '2001:db8::11 198.51.100.11 198.51.100.12');
    assert.equal(stand(townOf([b]), wish), 'PoolLacksFamily ');
    const gladly = request('web', dualStack('PreferDualStack'));
    assert.equal(stand(townOf([b]), gladly), '198.51.100.12');
  });

  test('moves to it from a range, and back to one, in one step', () => {
    const town = townOf([a, b], [pool('lan', '203.0.113.1'), nodePool('nodes')]);
    assert.equal(stand(town, request('web', fromPool('lan'))), '203.0.113.1');
    assert.equal(stand(town, request('web', fromPool('nodes'))), '198.51.100.11 198.51.100.12');
    assert.equal(stand(town, request('web', fromPool('lan'))), '203.0.113.1');
    assert.deepEqual([...town.ledger.nodePorts.services], []);
  });

  test('may not ask for one of its nodes by value', () => {
    const town = townOf([a, b]);
    const wish = fromPool('nodes', {
      annotations: { 'metallb.io/loadBalancerIPs': '198.51.100.11' },
    });
    assert.equal(stand(town, request('web', wish)), 'PoolMismatch ');
  });
});

describe('where no node can be told to serve', () => {
  test('the last addresses stay, and the reason says so', () => {
    const town = townOf([a, b]);
    stand(town, request('web'));
    setNodes(town, [a, { ...b, ...lost }]);
    stand(town, request('web'));
    setNodes(town, [
      { ...a, ...lost },
      { ...b, ...lost },
    ]);
    assert.equal(stand(town, request('web')), 'NoReadyNode 198.51.100.11');
    setNodes(town, []);
    assert.equal(stand(town, request('web')), 'NoNodeSelected 198.51.100.11');
    setNodes(town, [{ ...a, excluded: true }]);
    assert.equal(stand(town, request('web')), 'NoNodeSelected 198.51.100.11');
  });

  test('a node that comes back is better than none, though it may go again', () => {
    const town = townOf([a]);
    stand(town, request('web'));
    setNodes(town, [
      { ...a, ...lost },
      { ...b, ...back },
    ]);
    assert.equal(stand(town, request('web')), 'NoReadyNode 198.51.100.12');
    setNodes(town, [{ ...a, ...lost }, b]);
    assert.equal(stand(town, request('web')), '198.51.100.12');
  });

  test('the only node may flap without another word', () => {
    const town = townOf([a]);
    stand(town, request('web'));
    const decisions = [lost, back, lost, back].map((state) => {
      setNodes(town, [{ ...a, ...state }]);
      const decision = town.decide(request('web'));
      town.serve(request('web'));
      return decision;
    });
    const [first] = decisions;
    assert.equal(first?.kind, 'refuse');
    for (const decision of decisions) assert.deepEqual(decision, first);
  });

  test('with the Local policy the last endpoint keeps its node', () => {
    const town = townOf([a, b]);
    setNodes(town, [a, b], ['b']);
    stand(town, request('web', local()));
    setNodes(town, [a, b], []);
    assert.equal(stand(town, request('web', local())), 'NoServingNode 198.51.100.12');
  });

  test('a new Service has nothing, and is told why', () => {
    assert.equal(stand(townOf([{ ...a, ...lost }]), request('web')), 'NoReadyNode ');
    assert.equal(stand(townOf([]), request('web')), 'NoNodeSelected ');
    assert.equal(stand(townOf([a]), request('web', local())), 'NoServingNode ');
  });

  test('a new Service has one that just came back, if there is none better', () => {
    assert.equal(stand(townOf([{ ...a, ...back }]), request('web')), 'NoReadyNode 198.51.100.11');
  });
});

describe('a port of the nodes', () => {
  test('is one Service’s: another is told who has it, and gets the nodes when it is free', () => {
    const town = townOf([a, b]);
    stand(town, request('web'));
    assert.equal(stand(town, request('dns', onPort(80, 'UDP'))), '198.51.100.11 198.51.100.12');
    const { refusal } = town.decide(request('shop')) as { refusal: { detail: string } };
    assert.equal(refusal.detail, 'port TCP/80 of the nodes is held by default/web');
    assert.equal(stand(town, request('shop')), 'PortTaken ');
    town.drop('default/web');
    assert.equal(stand(town, request('shop')), '198.51.100.11 198.51.100.12');
  });

  test('is held also where its Service is not served now', () => {
    const town = townOf([a, b]);
    setNodes(town, [a, b], ['a']);
    stand(town, request('web', local()));
    assert.equal(stand(town, request('shop')), 'PortTaken ');
  });

  test('of another Service takes the nodes from who adds it', () => {
    const town = townOf([a, b]);
    stand(town, request('web'));
    stand(town, request('shop', onPort(443)));
    const more = { spec: { ports: [{ port: 443 }, { port: 80 }] } };
    assert.equal(stand(town, request('shop', more)), 'PortTaken ');
    assert.equal(stand(town, request('web')), '198.51.100.11 198.51.100.12');
    assert.equal(stand(town, request('shop', onPort(443))), '198.51.100.11 198.51.100.12');
  });

  test('that the machines need is nobody’s', () => {
    const town = townOf([a]);
    const { refusal } = town.decide(request('git', onPort(22))) as { refusal: { detail: string } };
    assert.match(refusal.detail, /^port TCP\/22 is kept for the machines themselves/);
    assert.equal(stand(town, request('git', onPort(22))), 'PortTaken ');
  });

  test('is one Service’s on each node, so that pools of other nodes give it again', () => {
    const east = nodePool('east', { selector: named('a') });
    const west = nodePool('west', { selector: named('b') });
    const town = townOf([a, b], [east, west]);
    assert.equal(stand(town, request('one', fromPool('east'))), '198.51.100.11');
    assert.equal(stand(town, request('two', fromPool('west'))), '198.51.100.12');
  });

  test('on a node that two pools share stays with who had it, and the other is told', () => {
    const east = nodePool('east', { selector: named('a', 'b') });
    const west = nodePool('west', { selector: named('b', 'c') });
    const town = townOf([a, b, c], [east, west]);
    stand(town, request('one', fromPool('east')));
    const second = request('two', fromPool('west'));
    assert.equal(stand(town, second), 'PortTaken 198.51.100.13');
    const { refusal } = town.decide(second) as { refusal: { detail: string } };
    assert.equal(refusal.detail, 'port TCP/80 of node b is held by default/one');
    assert.equal(stand(town, request('one', fromPool('east'))), '198.51.100.11 198.51.100.12');
  });

  test('is one on each address, where a node has several', () => {
    const inner = rosterNode('a', '198.51.100.11', {
      addresses: { InternalIP: a.addresses.InternalIP, ExternalIP: b.addresses.InternalIP },
    });
    const outside = nodePool('outside', { addressType: 'ExternalIP' });
    const town = townOf([inner], [nodePool('inside'), outside]);
    assert.equal(stand(town, request('one', fromPool('inside'))), '198.51.100.11');
    assert.equal(stand(town, request('two', fromPool('outside'))), '198.51.100.12');
  });

  test('is not to be had of a node whose address another has from a range, shared or not', () => {
    const key = { annotations: { 'metallb.io/allow-shared-ip': 'k' } };
    const town = townOf([a, b], [pool('lan', '198.51.100.11'), nodePool('nodes')]);
    assert.equal(stand(town, request('old', fromPool('lan', key))), '198.51.100.11');
    const wish = request('web', fromPool('nodes', { ...key, ...onPort(443) }));
    assert.equal(stand(town, wish), 'PortTaken 198.51.100.12');
  });

  test('that is taken sends a Service to the next pool, if there is one for it', () => {
    const town = townOf([a], [nodePool('nodes'), pool('other', '203.0.113.1')]);
    assert.equal(stand(town, request('web')), '198.51.100.11');
    assert.equal(stand(town, request('shop')), '203.0.113.1');
  });
});

describe('an edit of such a pool', () => {
  test('that takes it away moves nobody', () => {
    const town = townOf([a, b]);
    const wishes = [request('web'), request('shop', onPort(443))];
    for (const wish of wishes) stand(town, wish);
    town.pools = [pool('lan', '203.0.113.1')];
    for (const wish of wishes)
      assert.equal(stand(town, wish), 'AddressDraining 198.51.100.11 198.51.100.12');
  });

  test('that gives it another name moves nobody, and nodes are followed under the new one', () => {
    const town = townOf([a, b]);
    stand(town, request('web'));
    town.pools = [nodePool('machines')];
    assert.deepEqual(town.decide(request('web')), { kind: 'keep', pool: 'machines' });
    stand(town, request('web'));
    setNodes(town, [a]);
    assert.equal(stand(town, request('web')), '198.51.100.11');
  });

  test('that shuts a Service out leaves it the nodes, and goes on following them', () => {
    const town = townOf([a, b]);
    stand(town, request('web'));
    town.pools = [nodePool('nodes', {}, { allocation: { namespaces: new Set(['other']) } })];
    assert.equal(stand(town, request('web')), 'AddressDraining 198.51.100.11 198.51.100.12');
    setNodes(town, [a]);
    assert.equal(stand(town, request('web')), 'AddressDraining 198.51.100.11');
  });

  test('from ranges to nodes moves nobody', () => {
    const town = townOf([a], [pool('lan', '203.0.113.1')]);
    stand(town, request('web'));
    town.pools = [nodePool('lan')];
    assert.equal(stand(town, request('web')), 'AddressDraining 203.0.113.1');
  });
});

describe('a new operator', () => {
  const recorded = (name: string, ips: readonly string[], extra: ServiceCase = {}) =>
    service(name, {
      ...extra,
      ips,
      annotations: {
        'metallb.io/ip-allocated-from-pool': 'nodes',
        'metallb.io/has-node-addresses': 'true',
      },
    });
  const arrive = (town: Town, ...services: readonly ReturnType<typeof service>[]) =>
    adopt(
      { services, pools: town.pools, nodeWorld: town.nodeWorld, lbClass: undefined },
      town.ledger,
    );

  test('takes over what the nodes gave, with the ports', () => {
    const town = townOf([a, b]);
    arrive(town, recorded('web', ['198.51.100.11', '198.51.100.12']));
    assert.deepEqual(town.decide(request('web')), { kind: 'keep', pool: 'nodes' });
    assert.equal(stand(town, request('shop')), 'PortTaken ');
  });

  test('leaves a node that two pools share with who has it, though the other is older', () => {
    const east = nodePool('east', { selector: named('a', 'b') });
    const west = nodePool('west', { selector: named('b', 'c') });
    const town = townOf([a, b, c], [east, west]);
    const had = (from: string, created: string, ...ips: readonly string[]) => {
      const { annotations } = recorded('any', ips).metadata;
      const noted = { ...annotations, 'metallb.io/ip-allocated-from-pool': from };
      return service(from, { created, ips, annotations: noted });
    };
    arrive(
      town,
      had('east', '2026-02-01T00:00:00Z', '198.51.100.11', '198.51.100.12'),
      had('west', '2026-01-01T00:00:00Z', '198.51.100.13'),
    );
    assert.equal(stand(town, request('west', fromPool('west'))), 'PortTaken 198.51.100.13');
    assert.equal(stand(town, request('east', fromPool('east'))), '198.51.100.11 198.51.100.12');
  });

  test('takes over what the load balancer of K3s left, which wrote down no pool', () => {
    const town = townOf([a, b]);
    arrive(town, service('web', { ips: ['198.51.100.12', '198.51.100.11'] }));
    assert.deepEqual(town.decide(request('web')), { kind: 'keep', pool: 'nodes' });
  });

  test('finds the node under another address than before, and follows', () => {
    const town = townOf([a]);
    arrive(town, recorded('web', ['198.51.100.99']));
    assert.equal(stand(town, request('web')), '198.51.100.11');
  });

  test('leaves an address alone that is left from when the pool had ranges', () => {
    const town = townOf([a]);
    const annotations = { 'metallb.io/ip-allocated-from-pool': 'nodes' };
    arrive(town, service('web', { ips: ['203.0.113.1'], annotations }));
    assert.equal(stand(town, request('web')), 'AddressDraining 203.0.113.1');
  });

  test('leaves everybody the nodes whose pool is gone', () => {
    const town = townOf([a], []);
    const ips = ['198.51.100.11'];
    arrive(town, recorded('web', ips), recorded('shop', ips));
    for (const name of ['web', 'shop'])
      assert.equal(stand(town, request(name)), 'AddressDraining 198.51.100.11');
  });
});

test('a pool of nodes counts their addresses, and how many are Ready', () => {
  const town = townOf([a, b, { ...c, ...lost }]);
  setNodes(town, [a, b, { ...c, ...lost }], ['a']);
  stand(town, request('web', local()));
  stand(town, request('shop', local(443)));
  assert.deepEqual(readUse('nodes', town.pools[0], town.ledger, town.nodeWorld), {
    assignedIPv4: 1,
    assignedIPv6: 0,
    availableIPv4: 1,
    availableIPv6: 0,
    quarantined: 0,
    contested: 0,
    readyNodes: 2,
    inUse: 'by port',
    holders: [{ address: '198.51.100.11', services: ['default/shop', 'default/web'] }],
  });
});

test('an address that two pools of nodes give is counted once, in the pool that gave it first', () => {
  const east = nodePool('east', { selector: named('a', 'b') });
  const west = nodePool('west', { selector: named('b', 'c') });
  const town = townOf([a, b, c], [east, west]);
  stand(town, request('one', fromPool('east')));
  stand(town, request('two', fromPool('west', onPort(443))));
  assert.deepEqual([town.ledger.inUse('east').IPv4, town.ledger.inUse('west').IPv4], [2, 1]);
});

test('whatever nodes and Services do, a port of a node is in one status, and nobody is left with nothing', () => {
  const step = fc.record({
    service: fc.constantFrom('one', 'two', 'three'),
    pool: fc.constantFrom('east', 'west'),
    port: fc.constantFrom(80, 443),
    states: fc.tuple(...[a, b, c].map(() => fc.constantFrom({}, lost, back))),
    gone: fc.boolean(),
  });
  const pools = [
    nodePool('east', { selector: named('a', 'b') }),
    nodePool('west', { selector: named('b', 'c') }),
  ];
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const town = townOf([a, b, c], pools);
      const wishes = new Map<string, { port: number; wish: Request }>();
      for (const { service: name, pool: from, port, states, gone } of steps) {
        setNodes(
          town,
          [a, b, c].map((node, index) => ({ ...node, ...states[index] })),
        );
        if (gone) {
          town.drop(`default/${name}`);
          wishes.delete(name);
        } else {
          wishes.set(name, { port, wish: request(name, fromPool(from, onPort(port))) });
        }
        // Each is looked at until nothing changes, as the operator does.
        for (let round = 0; round < 3; round++)
          for (const { wish } of wishes.values()) {
            const before = town.held(wish.service);
            const decision = town.decide(wish);
            town.serve(wish);
            const isLeft = before !== '' && town.held(wish.service) === '';
            if (isLeft)
              assert.equal(decision.kind === 'release' && decision.refusal.reason, 'PortTaken');
          }
        const shown = [...wishes].flatMap(([, { port: at, wish }]) =>
          (town.ledger.holdingOf(wish.service)?.addresses ?? []).map(
            (address) => `${formatAddress(address)} ${at}`,
          ),
        );
        assert.deepEqual(shown.toSorted(), [...new Set(shown)].toSorted());
      }
    }),
    { numRuns: 300 },
  );
});
