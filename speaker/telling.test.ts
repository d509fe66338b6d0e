import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Action } from './core/action.ts';
import { Telling } from './telling.ts';

const address = '198.51.100.1';
const hold: Action = { kind: 'hold', address, term: 1, reason: 'Unclaimed' };
const give: Action = { kind: 'yield', address, reason: 'Withdrawn' };
const mac = '02:00:00:00:00:01';

/** What is told on a link to which this happens. */
function told(happen: (telling: Telling) => void): readonly string[] {
  const facts: string[] = [];
  happen(new Telling(({ kind }) => facts.push(kind)));
  return facts;
}

test('an address is told of when it has been announced, and when it is given up', () => {
  const facts = told((telling) => {
    telling.decide([hold], 0);
    telling.tell(hold, 0);
    telling.announced(['198.51.100.2'], mac, 1);
    telling.announced([address], mac, 1);
    telling.tell(give, 2);
  });
  assert.deepEqual(facts, ['held', 'yielded']);
});

test('of an address that was given up before it was announced nothing is told', () => {
  const facts = told((telling) => {
    telling.decide([hold], 0);
    telling.tell(give, 1);
    telling.announced([address], mac, 2);
  });
  assert.deepEqual(facts, []);
});

test('an address that another station has is told of when it is given up: the station is nobody to tell of any more', () => {
  const facts = told((telling) => {
    telling.decide([hold], 0);
    telling.tell({ kind: 'foreign', address, mac, state: 'Quarantined' }, 1);
    telling.tell(give, 2);
  });
  assert.deepEqual(facts, ['foreign', 'yielded']);
});
