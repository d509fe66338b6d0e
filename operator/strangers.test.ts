import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Pool } from '../crds/pool.ts';
import { inOrder, strangersIn } from './strangers.ts';
import { pool, range, sighting } from './testing/town.ts';

const router = '52:54:00:00:00:01';

/** So many addresses of 198.51.100.0/24, each used by this machine or by one of its own. */
const sightings = (count: number, mac?: string) =>
  Array.from({ length: count }, (_, index) =>
    sighting(`198.51.100.${index}`, {
      mac: mac ?? `52:54:00:00:01:${index.toString(16).padStart(2, '0')}`,
    }),
  );

const siegeOf = (target: Pool, count: number, mac: string | undefined): number | undefined =>
  strangersIn(target, sightings(count, mac))?.siege?.count;

const wide = pool('wide', '198.51.100.0-198.51.100.255');

describe('the machines that use addresses of a pool', () => {
  test('are none where all that is seen lies outside', () => {
    assert.equal(strangersIn(pool('lan', '203.0.113.1'), sightings(9)), undefined);
  });

  test('are told apart by whether a node answers for the address, too', () => {
    const strangers = strangersIn(wide, [
      sighting('198.51.100.1'),
      sighting('198.51.100.2', { state: 'Contested' }),
    ]);
    assert.deepEqual([...(strangers?.quarantined.keys() ?? [])], ['198.51.100.1']);
    assert.deepEqual([...(strangers?.contested.keys() ?? [])], ['198.51.100.2']);
  });

  test('are told by who has seen them first: another node that sees them is no news', () => {
    const late = sighting('198.51.100.1', { node: 'a', since: new Date('2026-01-02T00:00:00Z') });
    const early = sighting('198.51.100.1', { node: 'b' });
    for (const seen of [
      [late, early],
      [early, late],
    ]) {
      const strangers = strangersIn(wide, inOrder(seen));
      assert.equal(strangers?.quarantined.get('198.51.100.1')?.node, 'b');
    }
  });
});

describe('one machine besieges a pool', () => {
  test('that has eight addresses of it, or more than half', () => {
    assert.equal(siegeOf(wide, 7, router), undefined);
    assert.equal(siegeOf(wide, 8, router), 8);
    const small = pool('small', '198.51.100.0-198.51.100.7');
    assert.equal(siegeOf(small, 4, router), undefined);
    assert.equal(siegeOf(small, 5, router), 5);
    assert.equal(siegeOf(pool('tiny', '198.51.100.0-198.51.100.1'), 2, router), undefined);
  });

  test('and has most of it only with more than half', () => {
    const isMost = (count: number) => strangersIn(wide, sightings(count, router))?.siege?.isMost;
    assert.equal(isMost(128), false);
    assert.equal(isMost(129), true);
  });

  test('whether a node answers for them, too, or not', () => {
    const both = sightings(20, router).map((one, index) =>
      index % 2 === 0 ? one : { ...one, state: 'Contested' as const },
    );
    assert.equal(strangersIn(wide, both)?.siege?.count, 20);
    assert.equal(strangersIn(wide, [...both, ...sightings(20, router)])?.siege?.count, 20);
  });

  test('and not many machines with one address each', () => {
    assert.equal(siegeOf(wide, 200, undefined), undefined);
  });

  test('and not with the addresses that the pool leaves to it', () => {
    const excluded = [range('198.51.100.0-198.51.100.19')];
    assert.equal(siegeOf({ ...wide, excluded }, 20, router), undefined);
  });
});
