import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { L2Status } from '../crds/l2-status.ts';
import { beats } from './core/rank.ts';
import { type HeldHere, type Knowledge, recordOf } from './l2-record.ts';
import { heldHere } from './testing/held.ts';

const one = '198.51.100.1';
const two = '198.51.100.2';

const knows = (node: string, ...holds: HeldHere[]): Knowledge => ({
  service: 'default/web',
  node,
  planned: [one, two],
  held: holds,
});

/** What stands written after these nodes have written what they know, one after the other. */
function after(...steps: readonly Knowledge[]): L2Status {
  let status: L2Status = {};
  for (const knowledge of steps) {
    const outcome = recordOf(status, knowledge);
    if (outcome.kind === 'write') ({ status } = outcome);
    if (outcome.kind === 'remove') status = {};
  }
  return status;
}

const shown = ({ holders = [] }: L2Status) =>
  holders.map(({ address, interface: link, node }) => `${address} ${link} ${node}`);

describe('what is written of the holders of a Service', () => {
  test('is who holds what since when, and why', () => {
    const times = { silentMs: 301.2, decisionMs: 0.2, takeoverMs: 1.4 };
    const fact = { term: 2, reason: 'HolderDied', from: 'node-1', ...times } as const;
    assert.deepEqual(after(knows('node-2', heldHere(fact))), {
      node: 'node-2',
      serviceName: 'web',
      serviceNamespace: 'default',
      interfaces: [{ name: 'eth0' }],
      addresses: [one],
      nodes: ['node-2'],
      mac: '02:00:00:00:00:01',
      since: '2026-01-01T12:00:00.000Z',
      previousNode: 'node-1',
      reason: 'HolderDied',
      moves: 1,
      holders: [
        {
          address: one,
          interface: 'eth0',
          node: 'node-2',
          mac: '02:00:00:00:00:01',
          since: '2026-01-01T12:00:00.000Z',
          term: 2,
          previousNode: 'node-1',
          reason: 'HolderDied',
          detectionMs: 301,
          decisionMs: 0,
          takeoverMs: 1,
        },
      ],
    });
  });

  test('has every node that holds one of the addresses, in whatever order they write', () => {
    const [a, b] = [knows('node-1', heldHere({ address: two })), knows('node-2', heldHere())];
    for (const order of [
      [a, b],
      [b, a],
    ]) {
      const status = after(...order);
      assert.deepEqual(shown(status), [`${one} eth0 node-2`, `${two} eth0 node-1`]);
      assert.equal(status.node, 'node-2');
      assert.deepEqual(status.addresses, [one, two]);
      assert.deepEqual(status.nodes, ['node-2', 'node-1']);
    }
  });

  test('has every link on which an address is held', () => {
    const status = after(
      knows('node-1', heldHere(), heldHere({ link: 'eth1' })),
      knows('node-2', heldHere({ link: 'eth2' })),
    );
    assert.deepEqual(shown(status), [
      `${one} eth0 node-1`,
      `${one} eth1 node-1`,
      `${one} eth2 node-2`,
    ]);
    assert.deepEqual(status.interfaces, [{ name: 'eth0' }, { name: 'eth1' }]);
  });

  test('orders addresses as numbers', () => {
    const [nine, ten] = ['198.51.100.9', '198.51.100.10'];
    const knowledge = {
      ...knows('node-1', heldHere({ address: ten }), heldHere({ address: nine })),
      planned: [ten, nine],
    };
    assert.deepEqual(after(knowledge).addresses, [nine, ten]);
  });

  test('has the former holder of an address no longer, and leaves the others', () => {
    const from = { reason: 'HolderDied', from: 'node-1' } as const;
    const status = after(
      knows('node-1', heldHere()),
      knows('node-2', heldHere({ address: two })),
      knows('node-3', heldHere({ term: 2, ...from })),
    );
    assert.deepEqual(shown(status), [`${one} eth0 node-3`, `${two} eth0 node-2`]);
    assert.equal(status.moves, 1);
  });

  test('has the former holder no longer where its link had another name', () => {
    const from = { reason: 'HolderDied', from: 'node-1', link: 'lan0' } as const;
    const status = after(
      knows('node-1', heldHere()),
      knows('node-2', heldHere({ term: 2, ...from })),
    );
    assert.deepEqual(shown(status), [`${one} lan0 node-2`]);
  });

  test('has no address that the Service has no longer', () => {
    const status = after(knows('node-1', heldHere()), {
      ...knows('node-2', heldHere({ address: two })),
      planned: [two],
    });
    assert.deepEqual(shown(status), [`${two} eth0 node-2`]);
  });

  test('has of a node what it holds now', () => {
    const status = after(
      knows('node-1', heldHere(), heldHere({ address: two })),
      knows('node-1', heldHere({ address: two })),
    );
    assert.deepEqual(shown(status), [`${two} eth0 node-1`]);
  });

  test('is nothing where nobody holds anything', () => {
    const { status: written } = { status: after(knows('node-1', heldHere())) };
    assert.deepEqual(recordOf(written, knows('node-1')), { kind: 'remove' });
    assert.equal(recordOf(written, knows('node-2')).kind, 'keep');
    const gone = { ...knows('node-2'), planned: [] };
    assert.deepEqual(recordOf(written, gone), { kind: 'remove' });
  });

  test('is not written again where it is the same', () => {
    const knowledge = knows('node-1', heldHere());
    assert.deepEqual(recordOf(after(knowledge), knowledge), { kind: 'keep' });
  });

  test('follows what MetalLB left', () => {
    const theirs = { node: 'node-9', serviceName: 'web', serviceNamespace: 'default' };
    const outcome = recordOf(theirs, knows('node-1', heldHere()));
    assert.ok(outcome.kind === 'write');
    assert.equal(outcome.status.node, 'node-1');
  });

  test('counts a move once, whoever writes how often', () => {
    const moved = knows('node-2', heldHere({ term: 2, reason: 'HandedOver', from: 'node-1' }));
    const status = after(knows('node-1', heldHere()), moved, moved, knows('node-1'), moved);
    assert.equal(status.moves, 1);
  });
});

describe('two claims to one address', () => {
  test('of which one is better leave that one standing, whoever writes last', () => {
    const keeps = beats(one, { holder: 'node-1', term: 1 }, { holder: 'node-2', term: 1 });
    const winner = keeps ? 'node-1' : 'node-2';
    const claims = [knows('node-1', heldHere()), knows('node-2', heldHere())];
    for (const order of [claims, claims.toReversed()])
      assert.deepEqual(shown(after(...order)), [`${one} eth0 ${winner}`]);
  });

  test('of which the worse is still held after a while end in favour of who holds', () => {
    const written = after(knows('node-1', heldHere({ term: 7 })));
    const knowledge = knows('node-2', heldHere());
    const first = recordOf(written, knowledge);
    assert.ok(first.kind === 'keep' && first.contested !== undefined);
    const second = recordOf(written, knowledge, first.contested);
    assert.ok(second.kind === 'write');
    assert.deepEqual(shown(second.status), [`${one} eth0 node-2`]);
  });

  test('do not keep a node from writing what else it holds', () => {
    const status = after(
      knows('node-1', heldHere({ term: 7 })),
      knows('node-2', heldHere(), heldHere({ address: two })),
    );
    assert.deepEqual(shown(status), [`${one} eth0 node-1`, `${two} eth0 node-2`]);
  });
});
