import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from '../net/address.ts';
import { prefixRange } from '../net/range.ts';
import { detoursAround } from './detours.ts';
import type { Link } from './io/link.ts';
import type { Speaker } from './roster.ts';
import { link } from './testing/link.ts';

const payload = Uint8Array.of(1);

function network(text: string, length: number) {
  const address = parseAddress(text);
  assert.ok(address);
  return prefixRange(address, length);
}

const dead = { index: 2, networks: [network('203.0.113.0', 24)] };

const eth = (index: number, running = true): Link =>
  link({ index, name: `eth${index}`, mac: `02:00:00:00:00:0${index}`, running });

const speaker = (node: string, ...addresses: readonly string[]): Speaker => ({
  node,
  addresses,
  state: 'Ready',
});

/** Where a message goes by every way around the dead link. */
function waysAround(links: readonly Link[], speakers: readonly Speaker[] = []): readonly string[] {
  const ways: string[] = [];
  const detours = detoursAround(dead, {
    node: 'node-1',
    links: links.map((each) => ({ link: each, relay: () => void ways.push(each.name) })),
    speakers,
    sendDatagram: (_, to) => void ways.push(to),
  });
  for (const send of detours) send(payload);
  return ways;
}

test('a node with one link has no other way', () => {
  assert.deepEqual(waysAround([eth(2)]), []);
  assert.deepEqual(waysAround([eth(2), eth(3, false)]), []);
});

test('every other link that is up is one', () => {
  assert.deepEqual(waysAround([eth(2), eth(3), eth(4)]), ['eth3', 'eth4']);
});

test('datagrams go to the other nodes, where they do not lie behind the dead link', () => {
  const speakers = [
    speaker('node-1', '198.51.100.1'),
    speaker('node-2', '203.0.113.2', '198.51.100.2'),
    speaker('node-3', '203.0.113.3'),
    speaker('node-4'),
  ];
  assert.deepEqual(waysAround([eth(2)], speakers), ['198.51.100.2']);
});
