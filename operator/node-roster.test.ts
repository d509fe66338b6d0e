import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition, Node } from '../kube/object.ts';
import { node } from '../kube/testing/build.ts';
import { formatAddress } from '../net/address.ts';
import { NodeRoster, returnSeconds } from './node-roster.ts';

const returnMs = returnSeconds * 1_000;
const ready = (status: Condition['status'] = 'True'): Node =>
  node('a', { ready: status, addresses: ['198.51.100.11'] });

/** `steady`, `ready` or `lost`, as the roster has node `a`. */
function standing(roster: NodeRoster): string | undefined {
  const [a] = roster.nodes;
  if (a === undefined) return undefined;
  if (a.steady) return 'steady';
  return a.ready ? 'ready' : 'lost';
}

test('a node that is found Ready is steady at once, and so is a new one when it gets Ready', () => {
  const found = new NodeRoster();
  assert.deepEqual(found.take('a', ready(), 0), { changed: true });
  assert.equal(standing(found), 'steady');
  const joining = new NodeRoster();
  joining.take('a', ready('False'), 0);
  assert.equal(standing(joining), 'lost');
  joining.take('a', ready(), 1);
  assert.equal(standing(joining), 'steady');
});

test('a node that was lost goes at once, and is steady again after a while of being Ready', () => {
  const roster = new NodeRoster();
  roster.take('a', ready(), 0);
  assert.deepEqual(roster.take('a', ready('Unknown'), 1), { changed: true });
  assert.equal(standing(roster), 'lost');
  assert.deepEqual(roster.take('a', ready(), 5), { changed: true, againAfterMs: returnMs });
  assert.equal(standing(roster), 'ready');
  assert.deepEqual(roster.take('a', ready(), 1_005), {
    changed: false,
    againAfterMs: returnMs - 1_000,
  });
  assert.deepEqual(roster.take('a', ready(), 5 + returnMs), { changed: true });
  assert.equal(standing(roster), 'steady');
});

test('a node that flaps is not steady, however long it does so', () => {
  const roster = new NodeRoster();
  roster.take('a', ready(), 0);
  let turns = 0;
  for (let atMs = 0; atMs < 60_000; atMs += 1_000) {
    roster.take('a', ready(atMs % 2_000 === 0 ? 'False' : 'True'), atMs);
    if (standing(roster) === 'steady') turns++;
  }
  assert.equal(turns, 0);
});

test('a node without network, about to go, or gone is no node; a cordoned one is', () => {
  const states: readonly [Node | undefined, string | undefined][] = [
    [node('a', { conditions: [{ type: 'NetworkUnavailable', status: 'True' }] }), 'lost'],
    [node('a', { deletionTimestamp: '2026-11-21T00:00:00Z' }), 'lost'],
    [undefined, undefined],
    [node('a', { unschedulable: true }), 'steady'],
  ];
  for (const [state, expected] of states) {
    const roster = new NodeRoster();
    if (expected !== 'steady') roster.take('a', ready(), 0);
    roster.take('a', state, 1);
    assert.equal(standing(roster), expected);
  }
});

test('of each type and family the first address counts; what is no address does not', () => {
  const roster = new NodeRoster();
  const addresses = [
    { type: 'Hostname', address: 'a.example' },
    { type: 'InternalIP', address: '198.51.100.11' },
    { type: 'InternalIP', address: '198.51.100.12' },
    { type: 'InternalIP', address: '2001:db8::11' },
    { type: 'ExternalIP', address: '203.0.113.11' },
    { type: 'ExternalIP', address: 'junk' },
  ];
  roster.take('a', { metadata: { name: 'a' }, status: { addresses } }, 0);
  const [a] = roster.nodes;
  assert.deepEqual(a?.addresses.InternalIP.map(formatAddress), ['198.51.100.11', '2001:db8::11']);
  assert.deepEqual(a.addresses.ExternalIP.map(formatAddress), ['203.0.113.11']);
});

test('a heartbeat changes nothing; an address, a label and the exclude label do', () => {
  const roster = new NodeRoster();
  roster.take('a', ready(), 0);
  const beat = {
    ...ready(),
    metadata: { name: 'a', resourceVersion: '7', labels: ready().metadata.labels ?? {} },
  };
  assert.equal(roster.take('a', beat, 1).changed, false);
  const labels = { 'node.kubernetes.io/exclude-from-external-load-balancers': '' };
  for (const other of [
    node('a', { addresses: ['198.51.100.12'] }),
    node('a', { addresses: ['198.51.100.12'], labels: { edge: '' } }),
    node('a', { addresses: ['198.51.100.12'], labels }),
  ])
    assert.equal(roster.take('a', other, 2).changed, true);
  assert.equal(roster.nodes[0]?.excluded, true);
});
