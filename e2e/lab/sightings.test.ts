import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nobody, Sightings } from './sightings.ts';

const at = new Date(2026, 0, 1, 12, 0, 0);
const seen = (holder: string) => ({ holder, mac: '02:00:00:00:00:11', at });
const [web, dns] = ['198.51.100.200', '198.51.100.201'];
const both = new Map([
  [web, 'web'],
  [dns, 'dns'],
]);

test('an address is asked for in its turn while another is still waiting for an answer', () => {
  const sightings = new Sightings();
  sightings.follow(both, at);
  assert.deepEqual(
    [sightings.next(0), sightings.next(0), sightings.next(0)],
    [web, dns, undefined],
  );
  sightings.note(dns, seen('node-1'), 10);
  assert.equal(sightings.next(100), undefined, 'it rests');
  assert.equal(sightings.next(260), dns, 'the silent one holds nobody up');
  sightings.note(web, seen(nobody), 1_000);
  sightings.note(dns, seen('node-1'), 1_001);
  assert.equal(sightings.next(2_000), web, 'the one that was asked for longest ago');
});

test('only a change is told, with what was before and when it was seen', () => {
  const sightings = new Sightings();
  sightings.follow(new Map([[web, 'web']]), at);
  assert.equal(sightings.note(web, seen('node-1'), 0), '12:00:00  198.51.100.200 (web)  node-1');
  const later = { ...seen('node-1'), at: new Date(2026, 0, 1, 12, 0, 5) };
  assert.equal(sightings.note(web, later, 300), undefined);
  assert.equal(sightings.sights[0]?.since, at);
  const moved = sightings.note(web, { ...later, holder: 'node-2' }, 600);
  assert.equal(moved, '12:00:05  198.51.100.200 (web)  node-1 → node-2');
  assert.equal(sightings.moves.length, 2);
});

test('an address that is no longer assigned is told once, and an answer that comes late changes nothing', () => {
  const sightings = new Sightings();
  sightings.follow(both, at);
  sightings.note(web, seen('node-1'), 0);
  const rest = new Map([[dns, 'dns']]);
  const told = '12:00:00  198.51.100.200 (web)  node-1 → no longer assigned';
  assert.deepEqual(sightings.follow(rest, at), [told]);
  assert.deepEqual(sightings.follow(rest, at), []);
  assert.equal(sightings.note(web, seen('node-2'), 1), undefined);
  assert.deepEqual(
    sightings.sights.map(({ address }) => address),
    [dns],
  );
});
