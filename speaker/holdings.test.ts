import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Holdings } from './holdings.ts';
import type { Held } from './orders.ts';
import type { Plan } from './plan.ts';

const planned = (addresses: Record<string, readonly string[]>): Plan =>
  new Map(
    Object.entries(addresses).map(([address, services]) => [
      address,
      { services, candidates: [], links: undefined },
    ]),
  );

const held = (address: string, term = 1, link = 'eth0'): Held => ({
  kind: 'held',
  link,
  mac: '02:00:00:00:00:01',
  address,
  term,
  reason: 'Unclaimed',
  takeoverMs: 1,
});

const noon = new Date('2026-01-01T12:00:00Z');
const later = new Date('2026-01-01T12:00:05Z');

test('what is held is told by Service, with what came last', () => {
  const holdings = new Holdings();
  holdings.adopt(planned({ '198.51.100.1': ['default/web'], '198.51.100.2': ['default/web'] }));
  assert.deepEqual(holdings.note(held('198.51.100.1'), noon), ['default/web']);
  holdings.note(held('198.51.100.2', 4), later);
  const holding = holdings.of('default/web');
  assert.deepEqual(holding?.addresses, ['198.51.100.1', '198.51.100.2']);
  assert.equal(holding?.latest.term, 4);
  assert.equal(holding?.since, later);
});

const yielded = {
  kind: 'yielded',
  link: 'eth0',
  address: '198.51.100.1',
  reason: 'BetterClaim',
} as const;

test('what moves from link to link is held all the while', () => {
  const holdings = new Holdings();
  holdings.adopt(planned({ '198.51.100.1': ['default/web'] }));
  holdings.note(held('198.51.100.1'), noon);
  holdings.note(held('198.51.100.1', 1, 'eth1'), later);
  holdings.note(yielded, later);
  const holding = holdings.of('default/web');
  assert.deepEqual(holding?.addresses, ['198.51.100.1']);
  assert.equal(holding?.latest.link, 'eth1');
});

test('what was given up is held no more', () => {
  const holdings = new Holdings();
  holdings.adopt(planned({ '198.51.100.1': ['default/web'] }));
  holdings.note(held('198.51.100.1'), noon);
  assert.deepEqual(holdings.note(yielded, later), ['default/web']);
  assert.equal(holdings.of('default/web'), undefined);
});

test('a plan names the Services that it changes, and only those', () => {
  const holdings = new Holdings();
  holdings.adopt(planned({ '198.51.100.1': ['default/web'], '198.51.100.2': ['default/dns'] }));
  const changed = holdings.adopt(planned({ '198.51.100.1': ['default/web', 'default/new'] }));
  assert.deepEqual(changed.toSorted(), ['default/dns', 'default/new']);
  assert.equal(holdings.isPlanned('default/dns'), false);
});
