import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatAddress, parseAddress } from '../net/address.ts';
import type { Action, HoldReason, YieldReason } from './core/action.ts';
import { contestEndsMs, tellEveryMs } from './contested.ts';
import { Guard, type Outcome } from './guard.ts';
import { type Hold, probeAgainMs, probesPerRound } from './probing.ts';

const vip = '198.51.100.40';
const stranger = '02:00:00:00:00:66';
const other = '02:00:00:00:00:67';
const probeMs = 100;
/** From the first probe of a round until silence is known. */
const roundMs = probesPerRound * probeMs;
/** With `random` in the middle. */
const againMs = (probeAgainMs.least + probeAgainMs.most) / 2;

const take = (reason: HoldReason = 'Unclaimed', address = vip): Hold => ({
  kind: 'hold',
  address,
  term: 1,
  reason,
});
const takeFrom = (from: string, reason: HoldReason, address = vip): Hold => ({
  ...take(reason, address),
  from,
});
const giveUp = (reason: YieldReason = 'BetterClaim', address = vip): Action => ({
  kind: 'yield',
  address,
  reason,
});
const heard = (mac: string, text = vip) => {
  const address = parseAddress(text);
  assert(address);
  return { address, mac };
};
const foreign = (state: 'Quarantined' | 'Contested', mac = stranger, address = vip) => ({
  kind: 'foreign',
  address,
  mac,
  state,
});

/** A guard, and what came of it: when which address was probed, and the outcomes in a word each. */
class Watch {
  readonly guard: Guard;
  readonly probed: string[] = [];
  readonly outcomes: string[] = [];
  /** What the link takes. */
  up = true;
  nowMs = 0;

  constructor(ms = probeMs) {
    this.guard = new Guard({ probeMs: ms, random: () => 0.5 });
  }

  /** What is carried out at once. */
  admit(...actions: readonly Action[]): readonly Action[] {
    return this.guard.admit(actions, this.nowMs);
  }

  hear(mac: string, address = vip) {
    return this.guard.hear([heard(mac, address)], this.nowMs);
  }

  /** Lets time pass, and does what is due when it is due. */
  pass(ms: number): this {
    const endMs = this.nowMs + ms;
    for (;;) {
      const dueMs = this.guard.dueAtMs();
      if (dueMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, dueMs);
      const { probes, outcomes } = this.guard.tick(this.nowMs);
      if (!this.up) this.guard.unsent(probes);
      else this.probed.push(...probes.map((one) => `${this.nowMs} ${formatAddress(one)}`));
      this.outcomes.push(...outcomes.map((one) => `${this.nowMs} ${wordOf(one)}`));
    }
    this.nowMs = endMs;
    return this;
  }
}

const wordOf = (outcome: Outcome): string =>
  outcome.kind === 'unasked' ? `unasked ${outcome.addresses}` : outcome.kind;

describe('what no node is known to have held', () => {
  test('is probed three times, and held when nobody has answered for as long', () => {
    const watch = new Watch();
    assert.deepEqual(watch.admit(take()), []);
    watch.pass(roundMs - 1);
    assert.deepEqual(watch.probed, [`0 ${vip}`, `100 ${vip}`, `200 ${vip}`]);
    assert.deepEqual(watch.outcomes, []);
    watch.pass(1);
    assert.deepEqual(watch.outcomes, ['300 hold']);
    assert.equal(watch.guard.dueAtMs(), Infinity);
    assert.deepEqual(watch.guard.heldBack(), []);
  });

  test('is not held when another station answers, even in the last moment', () => {
    const watch = new Watch();
    watch.admit(take());
    watch.pass(roundMs - 1);
    assert.deepEqual(watch.hear(stranger), [foreign('Quarantined')]);
    watch.pass(againMs - 1);
    assert.deepEqual(watch.outcomes, []);
    assert.equal(watch.probed.length, probesPerRound);
    assert.deepEqual(watch.guard.counts(), { foreignClaims: 1, quarantined: 1 });
  });

  test('is no concern of ours when it is given up meanwhile', () => {
    const watch = new Watch();
    watch.admit(take());
    watch.pass(150);
    assert.deepEqual(watch.admit(giveUp()), [giveUp()]);
    watch.pass(60_000);
    assert.deepEqual(watch.outcomes, []);
    assert.equal(watch.probed.length, 2);
  });

  test('is probed anew after this node stood still, and after its link did', () => {
    const stops = [
      (watch: Watch) => void watch.admit({ kind: 'hush' }, { kind: 'speak' }),
      (watch: Watch) => watch.guard.restart(watch.nowMs),
    ];
    for (const stop of stops) {
      const watch = new Watch();
      watch.admit(take());
      watch.pass(250);
      stop(watch);
      watch.pass(roundMs);
      assert.deepEqual(watch.outcomes, ['550 hold']);
      assert.equal(watch.probed.length, 2 * probesPerRound);
    }
  });

  test('is probed anew when its link returns, and nobody has held it meanwhile', () => {
    for (const ms of [150, 5_000]) {
      const watch = new Watch();
      watch.admit(take());
      if (ms > roundMs) watch.hear(stranger);
      watch.pass(ms).admit(giveUp('LinkDown'));
      assert.deepEqual(watch.admit(take('LinkReturned')), [], `after ${ms} ms`);
      watch.admit(giveUp('LinkDown'));
      assert.equal(watch.admit(takeFrom('a', 'HolderDied')).length, 1, 'another has used it since');
      watch.admit(giveUp('LinkDown'));
      assert.equal(watch.admit(take('LinkReturned')).length, 1);
    }
  });

  test('is held at once where nothing is to be probed', () => {
    const watch = new Watch(0);
    assert.deepEqual(watch.admit(take()), [take()]);
    assert.equal(watch.guard.dueAtMs(), Infinity);
  });

  test('is used when it cannot be probed, and that is told', () => {
    const watch = new Watch();
    watch.up = false;
    watch.admit(take(), take('Unclaimed', '2001:db8::40'));
    watch.pass(roundMs);
    assert.deepEqual(watch.outcomes, ['300 hold', '300 hold', '300 unasked 2']);
  });

  test('counts as probed when the link took one of the probes', () => {
    const watch = new Watch();
    watch.up = false;
    watch.admit(take());
    watch.pass(150);
    watch.up = true;
    watch.pass(150);
    assert.deepEqual(watch.outcomes, ['300 hold']);
  });
});

describe('what leaves the plan and comes back', () => {
  /** Held, and withdrawn at once. */
  const withdrawn = (address = vip): Watch => {
    const watch = new Watch();
    watch.admit(take('HolderDied', address));
    watch.admit(giveUp('Withdrawn', address));
    return watch;
  };
  // A station that begins to probe when it is withdrawn uses it after so long (RFC 5227 §1.1, RFC 4862 §5.1).
  const settles = [
    { address: vip, ms: 4_000 },
    { address: '2001:db8::40', ms: 1_000 },
  ] as const;

  test('is held at once as long as no other station can have made sure of it', () => {
    for (const { address, ms } of settles) {
      const again = take('Unclaimed', address);
      assert.deepEqual(
        withdrawn(address)
          .pass(ms - 1)
          .admit(again),
        [again],
      );
      assert.deepEqual(withdrawn(address).pass(ms).admit(again), []);
    }
  });

  test('is forgotten by families, whichever was withdrawn first', () => {
    const watch = new Watch();
    for (const { address } of settles) {
      watch.admit(take('HolderDied', address));
      watch.admit(giveUp('Withdrawn', address));
    }
    watch.pass(1_000);
    assert.deepEqual(watch.admit(take('Unclaimed', '2001:db8::40')), []);
  });

  test('is probed where this node had not used it', () => {
    const watch = new Watch();
    watch.admit(take());
    watch.pass(roundMs - 1).admit(giveUp('Withdrawn'));
    assert.deepEqual(watch.admit(take()), []);
  });

  test('is probed where another station has been heard to claim it', () => {
    const contested = new Watch();
    contested.admit(take('HolderDied'));
    contested.hear(stranger);
    contested.admit(giveUp('Withdrawn'));
    assert.deepEqual(contested.admit(take()), []);

    const foundByAnother = withdrawn();
    foundByAnother.guard.distrust(new Map([[vip, ['a']]]));
    assert.deepEqual(foundByAnother.admit(take()), []);
  });

  test('is probed after this node stood still, and after its link did', () => {
    const stalled = withdrawn();
    stalled.admit({ kind: 'hush' }, { kind: 'speak' });
    assert.deepEqual(stalled.admit(take()), []);

    const blinked = withdrawn();
    blinked.guard.restart(blinked.nowMs);
    assert.deepEqual(blinked.admit(take()), []);
  });
});

describe('what is taken over from another node', () => {
  const reasons = [
    'HandedOver',
    'HolderDied',
    'HolderLeft',
    'HolderLinkDown',
    'HolderRestarted',
    'LinkReturned',
    'Released',
    'Unanswered',
  ] as const;

  test('is held at once', () => {
    for (const reason of reasons) {
      const watch = new Watch();
      const taken = takeFrom('a', reason);
      assert.deepEqual(watch.admit(taken), [taken], reason);
      assert.equal(watch.guard.dueAtMs(), Infinity, reason);
    }
  });

  test('is probed, whatever the reason, where that node has found another station to have it', () => {
    for (const reason of reasons) {
      const watch = new Watch();
      watch.guard.distrust(new Map([[vip, ['a']]]));
      const free = takeFrom('a', reason, '198.51.100.41');
      assert.deepEqual(watch.admit(takeFrom('a', reason), free), [free], reason);
      watch.pass(roundMs);
      assert.deepEqual(watch.outcomes, ['300 hold'], reason);
    }
  });

  test('is held at once where a third node has found that, lately or long ago', () => {
    for (const reason of reasons) {
      const watch = new Watch();
      watch.guard.distrust(new Map([[vip, ['c']]]));
      const taken = takeFrom('a', reason);
      assert.deepEqual(watch.admit(taken), [taken], reason);
    }
  });
});

test('what this node gave up before it knew that nobody else has it is probed when it comes back', () => {
  const watch = new Watch();
  watch.admit(take());
  watch.pass(150).admit(giveUp('NoLongerCandidate'));
  assert.deepEqual(watch.admit(take('Released')), []);
  watch.pass(roundMs).admit(giveUp('NoLongerCandidate'));
  assert.deepEqual(watch.admit(take('Released')), [take('Released')]);
});

describe('a quarantined address', () => {
  const quarantine = (): Watch => {
    const watch = new Watch();
    watch.admit(take());
    watch.pass(50);
    watch.hear(stranger);
    return watch;
  };

  test('is held when two rounds in a row are silent', () => {
    const watch = quarantine();
    watch.pass(againMs + roundMs);
    assert.deepEqual(watch.outcomes, []);
    watch.pass(againMs + roundMs);
    assert.deepEqual(watch.outcomes, ['20650 cleared', '20650 hold']);
    assert.equal(watch.probed.length, 1 + 2 * probesPerRound);
    assert.equal(watch.guard.counts().quarantined, 0);
  });

  test('stays quarantined as long as the other station is heard now and then', () => {
    const watch = quarantine();
    for (let round = 0; round < 20; round++) {
      watch.pass(againMs + roundMs + 1);
      assert.deepEqual(watch.hear(stranger), []);
    }
    assert.deepEqual(watch.outcomes, []);
  });

  test('is not free after a round in which the other station was heard, and a silent one', () => {
    const watch = quarantine();
    watch.pass(againMs + probeMs / 2);
    assert.deepEqual(watch.hear(stranger), []);
    watch.pass(roundMs + againMs + roundMs);
    assert.deepEqual(watch.outcomes, []);
    watch.pass(againMs + roundMs);
    assert.equal(watch.outcomes.length, 2);
  });

  test('does not become free by a link that takes no probe', () => {
    const watch = quarantine();
    watch.up = false;
    watch.pass(10 * againMs);
    assert.equal(watch.outcomes.length, 0);
    watch.up = true;
    watch.pass(3 * againMs);
    assert.deepEqual(
      watch.outcomes.map((one) => one.split(' ')[1]),
      ['cleared', 'hold'],
    );
  });

  test('is probed on although the other station talks without end', () => {
    const watch = quarantine();
    for (let ms = 0; ms < 2 * againMs; ms += 50) {
      watch.hear(stranger);
      watch.pass(50);
    }
    assert.ok(watch.probed.length >= 3, `${watch.probed.length} probes`);
    assert.deepEqual(watch.outcomes, []);
  });

  test('is told again when another station has it, once in a while', () => {
    const watch = quarantine();
    assert.deepEqual(watch.hear(other), []);
    watch.pass(tellEveryMs);
    assert.deepEqual(watch.hear(other), [foreign('Quarantined', other)]);
  });

  test('is forgotten when it is given up', () => {
    const watch = quarantine();
    watch.admit(giveUp('Withdrawn'));
    watch.pass(60_000);
    assert.deepEqual(watch.outcomes, []);
    assert.equal(watch.guard.counts().quarantined, 0);
  });
});

describe('an address that is answered for, and that another station claims, too', () => {
  const contest = (): Watch => {
    const watch = new Watch();
    watch.admit(take('HolderDied'));
    assert.deepEqual(watch.hear(stranger), [foreign('Contested')]);
    return watch;
  };

  test('is told once in a while, whoever claims it', () => {
    const watch = contest();
    watch.pass(tellEveryMs - 1);
    assert.deepEqual([watch.hear(stranger), watch.hear(other)], [[], []]);
    watch.pass(1);
    assert.deepEqual(watch.hear(other), [foreign('Contested', other)]);
  });

  test('is contested until nobody else has claimed it for a minute', () => {
    const watch = contest();
    watch.pass(contestEndsMs / 2);
    watch.hear(stranger);
    watch.pass(contestEndsMs - 1);
    assert.deepEqual(watch.outcomes, []);
    watch.pass(1);
    assert.deepEqual(watch.outcomes, [`${contestEndsMs * 1.5} cleared`]);
    assert.deepEqual(watch.hear(stranger), [foreign('Contested')]);
  });

  test('is none of ours any more when it is given up', () => {
    const watch = contest();
    watch.admit(giveUp());
    watch.pass(2 * contestEndsMs);
    assert.deepEqual(watch.outcomes, []);
  });

  test('is one of a bounded number: a sweep through all addresses fills no memory', () => {
    const watch = new Watch();
    let told = 0;
    for (let last = 0; last < 1_000; last++)
      told += watch.hear(stranger, `2001:db8::${last}`).length;
    assert.equal(told, 256);
    assert.equal(watch.guard.counts().foreignClaims, 1_000);
  });
});

test('ten thousand addresses are probed a few at a time', () => {
  const watch = new Watch();
  const addresses = Array.from({ length: 10_000 }, (_, last) => `2001:db8::${last.toString(16)}`);
  watch.admit(...addresses.map((address) => take('Unclaimed', address)));
  assert.ok(watch.guard.tick(0).probes.length <= 128);
  watch.pass(roundMs);
  assert.equal(watch.outcomes.filter((one) => one.endsWith('hold')).length, 10_000);
});

test('nothing is held that a station has claimed since the round began, whatever the order of events', () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 15_000 }) }),
    fc.constant({ kind: 'claim' as const }),
    fc.constant({ kind: 'restart' as const }),
    fc.constant({ kind: 'giveUp' as const }),
    fc.constant({ kind: 'take' as const }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const watch = new Watch();
      let claimedAtMs = -Infinity;
      let isClaimedHere = false;
      for (const one of events) {
        if (one.kind === 'pass') watch.pass(one.ms);
        if (one.kind === 'restart') watch.guard.restart(watch.nowMs);
        if (one.kind === 'giveUp') watch.admit(giveUp());
        if (one.kind === 'take') watch.admit(take());
        if (one.kind === 'claim' && isClaimedHere) {
          watch.hear(stranger);
          claimedAtMs = watch.nowMs;
        }
        if (one.kind === 'take') isClaimedHere = true;
        if (one.kind === 'giveUp') isClaimedHere = false;
        const held = watch.outcomes.splice(0).find((said) => said.endsWith('hold'));
        if (held === undefined) continue;
        const heldAtMs = Number(held.split(' ')[0]);
        assert.ok(heldAtMs - claimedAtMs >= roundMs, `claimed ${claimedAtMs}, held ${heldAtMs}`);
        const own = watch.probed.filter((said) => Number(said.split(' ')[0]) >= heldAtMs - roundMs);
        assert.ok(own.length >= probesPerRound, `only ${own.length} probes before`);
        isClaimedHere = false;
        watch.admit(giveUp());
      }
    }),
  );
});
