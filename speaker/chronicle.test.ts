import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Fields, type Log, silentLog } from '../daemon/log.ts';
import { chronicle, witnessed } from './chronicle.ts';
import type { Fault } from './exam.ts';
import type { Fact, Witnessed } from './orders.ts';

const address = '198.51.100.1';
const mac = '52:54:00:00:00:99';
const faults = ['Silent', 'Mismatch', 'Doubled', 'Uncertain'] as const satisfies readonly Fault[];

const found = (finding: Witnessed['finding'], what: Partial<Witnessed> = {}): Witnessed => ({
  kind: 'witnessed',
  link: 'eth0',
  address,
  finding,
  holder: 'node-2',
  term: 1,
  others: [],
  ...what,
});

/** What is written down of a fact: the fields, with the level. */
function writtenOf(fact: Fact): Fields | undefined {
  let written: Fields | undefined;
  const at = (level: string) => (message: string, fields?: Fields) => {
    written = { level, message, ...fields };
  };
  const log: Log = {
    ...silentLog,
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: () => log,
  };
  chronicle(log, fact);
  return written;
}

describe('what somebody has to see to is written down with what to do', () => {
  const foreign = { kind: 'foreign', link: 'eth0', address, mac } as const;
  const sick = { kind: 'health', link: 'eth0', health: 'sick', detail: 'no answer' } as const;
  const facts: Readonly<Record<string, Fact>> = {
    'another station claims a held address': { ...foreign, state: 'Contested' },
    'another station has an address': { ...foreign, state: 'Quarantined' },
    'kube-proxy is unwell': { ...sick, check: 'KubeProxy' },
    'no router answers': { ...sick, check: 'Gateway' },
    ...Object.fromEntries(faults.map((fault) => [`a witness finds ${fault}`, found(fault)])),
  };
  for (const [name, fact] of Object.entries(facts)) {
    test(name, () => {
      const { level, remedy } = writtenOf(fact) ?? {};
      assert.match(String(level), /warn|error/);
      assert.match(String(remedy), /^[a-z].{20,}[^.]$/);
    });
  }

  test('and nothing is to be done where it is over', () => {
    assert.equal(writtenOf(found('Right'))?.['remedy'], undefined);
    assert.equal(writtenOf({ ...sick, check: 'Gateway', health: 'well' })?.['remedy'], undefined);
  });
});

describe('the event of a witness', () => {
  test('says what is found, by whom, of whom, and what to do', () => {
    assert.deepEqual(witnessed('node-1', found('Mismatch', { others: [mac] })), {
      type: 'Warning',
      reason: 'Mismatch',
      message: `${address}, held by "node-2", asked for by "node-1" on eth0: another machine answers for an address, and the node that holds it does not (${mac}); take the address off that machine, or out of the pools`,
    });
  });

  for (const fault of faults) {
    test(`says what to do about ${fault}`, () => {
      assert.match(witnessed('node-1', found(fault))?.message ?? '', /; [a-z].{20,}[^.]$/);
    });
  }

  test('is none where all is right again', () => {
    assert.equal(witnessed('node-1', found('Right')), undefined);
  });
});
