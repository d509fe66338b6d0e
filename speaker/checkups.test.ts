import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Checkups } from './checkups.ts';
import type { Event } from './core/action.ts';
import type { Health } from './core/health.ts';
import type { Fact } from './orders.ts';
import { link } from './testing/link.ts';

let facts: Fact[];
let felt: Health | undefined;
const patient = (name: string) => ({
  link: link({ name }),
  take: (event: Event) => {
    if (event.kind === 'health') felt = event.health;
  },
});

beforeEach(() => {
  facts = [];
  felt = undefined;
});

function opened(checksKubeProxy: boolean): Checkups {
  const checkups = new Checkups({
    checksKubeProxy,
    checksGateway: false,
    nowMs: () => 0,
    report: (fact) => facts.push(fact),
  });
  checkups.open(patient('eth0'));
  return checkups;
}

test('a node that checks nothing is well, and says nothing of it', () => {
  const checkups = opened(false);
  assert.equal(felt, 'well');
  assert.deepEqual(facts, []);
  assert.equal(checkups.dueAtMs(), Infinity);
});

test('until kube-proxy has answered nobody knows', () => {
  opened(true);
  assert.equal(felt, 'unsure');
});

test('what kube-proxy is found to be holds on each link, and is told when it changes', () => {
  const checkups = opened(true);
  const sick = { health: 'sick', detail: 'it answers 503' } as const;
  for (const diagnosis of [{ health: 'well', detail: undefined }, sick, sick] as const) {
    checkups.noteKubeProxy(diagnosis);
    assert.equal(felt, diagnosis.health);
  }
  const told = facts.map((fact) => (fact.kind === 'health' ? [fact.health, fact.detail] : []));
  assert.deepEqual(told, [
    ['unsure', undefined],
    ['well', undefined],
    ['sick', 'it answers 503'],
  ]);
});

test('a link that comes later is as well as the node', () => {
  const checkups = opened(true);
  checkups.noteKubeProxy({ health: 'sick', detail: 'it answers 503' });
  felt = undefined;
  checkups.open(patient('eth1'));
  assert.equal(felt, 'sick');
});
