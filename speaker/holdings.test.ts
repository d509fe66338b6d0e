import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Holdings } from './holdings.ts';
import { held } from './testing/held.ts';
import { planOf } from './testing/plan.ts';

const noon = new Date('2026-01-01T12:00:00Z');
const later = new Date('2026-01-01T12:00:05Z');

const shown = (holdings: Holdings) =>
  holdings
    .of('default/web')
    .map(({ fact, since }) => [fact.address, fact.link, fact.term, since] as const);

test('what is held is told by Service, address by address', () => {
  const holdings = new Holdings();
  holdings.adopt(planOf({ '198.51.100.1': ['default/web'], '198.51.100.2': ['default/web'] }));
  assert.deepEqual(holdings.note(held(), noon), ['default/web']);
  holdings.note(held({ address: '198.51.100.2', term: 4 }), later);
  assert.deepEqual(shown(holdings), [
    ['198.51.100.1', 'eth0', 1, noon],
    ['198.51.100.2', 'eth0', 4, later],
  ]);
});

const yielded = {
  kind: 'yielded',
  link: 'eth0',
  address: '198.51.100.1',
  reason: 'BetterClaim',
} as const;

test('what moves from link to link is held all the while', () => {
  const holdings = new Holdings();
  holdings.adopt(planOf({ '198.51.100.1': ['default/web'] }));
  holdings.note(held(), noon);
  holdings.note(held({ link: 'eth1' }), later);
  holdings.note(yielded, later);
  assert.deepEqual(shown(holdings), [['198.51.100.1', 'eth1', 1, later]]);
});

test('what was given up is held no more', () => {
  const holdings = new Holdings();
  holdings.adopt(planOf({ '198.51.100.1': ['default/web'] }));
  holdings.note(held(), noon);
  assert.deepEqual(holdings.note(yielded, later), ['default/web']);
  assert.deepEqual(holdings.of('default/web'), []);
});

test('what is held on a link goes on under the MAC that the link gets', () => {
  const holdings = new Holdings();
  holdings.adopt(planOf({ '198.51.100.1': ['default/web'], '198.51.100.2': ['default/dns'] }));
  holdings.note(held({ term: 4 }), noon);
  holdings.note(held({ address: '198.51.100.2', link: 'eth1' }), noon);
  const mac = '02:00:00:00:01:01';
  assert.deepEqual(holdings.note({ kind: 'mac', link: 'eth0', mac }, later), ['default/web']);
  assert.deepEqual(holdings.of('default/web'), [{ fact: held({ term: 4, mac }), since: noon }]);
  assert.deepEqual(
    holdings.of('default/dns').map(({ fact }) => fact),
    [held({ address: '198.51.100.2', link: 'eth1' })],
  );
});

test('a plan names the Services that it changes, and only those', () => {
  const holdings = new Holdings();
  holdings.adopt(planOf({ '198.51.100.1': ['default/web'], '198.51.100.2': ['default/dns'] }));
  const changed = holdings.adopt(planOf({ '198.51.100.1': ['default/web', 'default/new'] }));
  assert.deepEqual(changed.toSorted(), ['default/dns', 'default/new']);
  assert.deepEqual(holdings.plannedFor('default/dns'), []);
});
