import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNodeNetwork } from '../crds/node-network.ts';
import { ForeignStations, mostTold } from './foreign-stations.ts';
import type { Fact } from './orders.ts';

const stranger = '02:00:00:00:00:66';
const other = '02:00:00:00:00:67';
const at = (second: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, second));

const seen = (what: { address?: string; mac?: string; link?: string; state?: 'Contested' } = {}) =>
  ({
    kind: 'foreign',
    link: 'eth0',
    address: '198.51.100.40',
    mac: stranger,
    state: 'Quarantined',
    ...what,
  }) as const satisfies Fact;

const networks = { links: [{ name: 'eth0', addresses: [], gateways: [] }, { name: 'eth1' }] };

/** What is written of each link, in words. */
const written = (stations: ForeignStations): readonly string[] =>
  (stations.within(networks).links ?? []).flatMap(({ name, foreign = [] }) =>
    foreign.map(
      ({ address, mac, since, state }) =>
        `${name} ${address} ${mac} ${since.slice(17, 19)} ${state}`,
    ),
  );

test('a station is written on the link where it was met, since it was first', () => {
  const stations = new ForeignStations();
  assert.ok(stations.note(seen(), at(1)));
  assert.ok(!stations.note(seen(), at(2)), 'told again, it is no news');
  assert.ok(stations.note(seen({ link: 'eth1', state: 'Contested' }), at(3)));
  assert.deepEqual(written(stations), [
    `eth0 198.51.100.40 ${stranger} 01 Quarantined`,
    `eth1 198.51.100.40 ${stranger} 03 Contested`,
  ]);
});

test('another MAC is news, and the address is as long foreign as it was', () => {
  const stations = new ForeignStations();
  stations.note(seen(), at(1));
  assert.ok(stations.note(seen({ mac: other }), at(2)));
  assert.deepEqual(written(stations), [`eth0 198.51.100.40 ${other} 01 Quarantined`]);
});

test('nothing is written of a station that is gone, of what is held no longer, and of a link that is gone', () => {
  const where = { link: 'eth0', address: '198.51.100.40' };
  const ends: readonly Fact[] = [
    { kind: 'cleared', ...where },
    { kind: 'yielded', ...where, reason: 'Withdrawn' },
    { kind: 'gone', link: 'eth0' },
  ];
  for (const end of ends) {
    const stations = new ForeignStations();
    stations.note(seen(), at(1));
    assert.ok(stations.note(end, at(2)), end.kind);
    assert.deepEqual(stations.within(networks), networks, end.kind);
    assert.ok(!stations.note(end, at(3)), end.kind);
  }
});

test('a station that has everything is written with some of it, on all links together', () => {
  const stations = new ForeignStations();
  for (let last = 0; last < 2 * mostTold; last++) {
    const link = last < mostTold / 2 ? 'eth0' : 'eth1';
    stations.note(seen({ link, address: `2001:db8::${last}` }), at(1));
  }
  assert.equal(written(stations).length, mostTold);
});

test('what is written is read as it was meant', () => {
  const stations = new ForeignStations();
  stations.note(seen(), at(1));
  const read = parseNodeNetwork(stations.within(networks));
  assert.deepEqual(
    read?.map(({ foreign }) => foreign.map(({ mac, since }) => [mac, since])),
    [[[stranger, at(1)]], []],
  );
});
