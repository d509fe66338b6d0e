import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { until } from '../daemon/testing/until.ts';
import { formatAddress, parseAddress } from '../net/address.ts';
import type { Candidates } from './core/action.ts';
import { openSegment, type Segment } from './core/segment.ts';
import { step } from './core/step.ts';
import { readLinks } from './io/link.ts';
import { PacketSocket } from './io/packet-socket.ts';
import { ip, needsTwoHosts, TwoHosts } from './io/testing/two-hosts.ts';
import { LinkWitness, type Testimony } from './link-witness.ts';
import { arp } from './wire/family.ts';
import { arpFilter } from './wire/filter.ts';

const address = '198.51.100.40';
const address6 = '2001:db8::40';

describe('a witness on a real link', needsTwoHosts, () => {
  let hosts: TwoHosts;
  let nowMs: number;
  beforeEach(() => {
    hosts = new TwoHosts();
    nowMs = 1_000;
  });
  afterEach(() => hosts[Symbol.dispose]());

  /** What the near host knows when the far one, at `mac`, has claimed these addresses. */
  function segmentWith(claimed: readonly string[], mac = hosts.far.mac): Segment {
    const boot = 1n;
    const both = ['node-1', 'node-2'].map((node) => ({ node, score: 0 }));
    const candidates: Candidates = new Map(claimed.map((one) => [one, both]));
    const segment = openSegment({
      node: 'node-1',
      mac: hosts.near.mac,
      boot: 2n,
      shortestPulseMs: 100,
      random: () => 7n,
      nowMs,
    });
    const claims = { count: 0, sum: 0 };
    const standing = { phase: 'active', intervalMs: 100, claims } as const;
    const sender = { node: 'node-2', mac };
    let sequence = 0n;
    const hear = (message: object) =>
      step(
        segment,
        { kind: 'frame', boot, sequence: ++sequence, message: { ...sender, ...message } as never },
        nowMs,
      );
    step(segment, { kind: 'plan', candidates }, nowMs);
    hear({ kind: 'pulse', standing });
    hear({ kind: 'answer', nonce: 7n, standing });
    const items = claimed.map((one) => ({ address: one, term: 1 }));
    hear({ kind: 'claims', version: 1, claims: items });
    segment.phase = 'active';
    return segment;
  }

  /** Lets time go by faster than it does, and lets the far kernel answer in between. */
  async function run(segment: Segment, ms: number): Promise<readonly Testimony[]> {
    using _ = hosts.enter(hosts.near);
    const link = readLinks().find(({ name }) => name === hosts.near.link);
    assert(link !== undefined);
    const clock = { random: () => 0.5, nowMs: () => nowMs };
    using witness = new LinkWitness(link, { segment, witnessMs: 2_000, ...clock });
    const found: Testimony[] = [];
    for (const endMs = nowMs + ms; nowMs < endMs; nowMs += 50) {
      found.push(...witness.tick(nowMs));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert(witness.questions > 0);
    return found;
  }

  const give = (...addresses: readonly string[]): void => {
    for (const one of addresses) {
      const { namespace, link } = hosts.far;
      ip(
        '-n',
        namespace,
        'address',
        'add',
        one,
        'dev',
        link,
        ...(one.includes(':') ? ['nodad'] : []),
      );
    }
  };

  test('finds nothing where the holder answers', async () => {
    give(`${address}/32`, `${address6}/128`);
    assert.deepEqual(await run(segmentWith([address, address6]), 20_000), []);
  });

  for (const [family, one] of [
    ['ARP', address],
    ['NDP', address6],
  ] as const) {
    test(`finds that a machine answers which is none of ours, over ${family}, and leaves the address`, async () => {
      give(`${one}/${family === 'ARP' ? 32 : 128}`);
      const [found, ...more] = await run(segmentWith([one], '02:00:00:00:00:77'), 20_000);
      assert.deepEqual(more, []);
      assert(found?.kind === 'witnessed');
      assert.equal(found.finding, 'Mismatch');
      assert.deepEqual(found.others, [hosts.far.mac]);
    });
  }

  test('knows from others that it can be answered, and wants to move what stays silent', async () => {
    const segment = segmentWith([address]);
    segment.roster = new Map([['node-2', { udp: hosts.far.address, state: 'Ready' }]]);
    const [found, next] = await run(segment, 20_000);
    assert(found?.kind === 'witnessed');
    assert.equal(found.finding, 'Silent');
    assert.equal(next?.kind, 'unanswered');
  });

  test('knows that it may be deaf where nobody answers', async () => {
    const found = await run(segmentWith([address]), 20_000);
    assert.deepEqual(
      found.map((one) => (one.kind === 'witnessed' ? one.finding : one.kind)),
      ['Uncertain'],
    );
  });

  test('asks from an address of the node, never from one that moves', async () => {
    const moving = '198.51.100.41';
    const { near, far } = hosts;
    const onNear = (...words: readonly string[]) => ip('-n', near.namespace, 'address', ...words);
    // The moving one comes first now.
    onNear('delete', `${near.address}/24`, 'dev', near.link);
    onNear('add', `${moving}/24`, 'dev', near.link);
    onNear('add', `${near.address}/24`, 'dev', near.link);
    const entered = hosts.enter(far);
    const link = readLinks().find(({ name }) => name === far.link);
    const asked = parseAddress(address);
    assert(link !== undefined && asked !== undefined);
    using socket = new PacketSocket({ link, etherType: arp.etherType, filter: arpFilter([asked]) });
    entered[Symbol.dispose]();
    await run(segmentWith([address, moving]), 3_000);
    const questions = socket.receive().frames.map((frame) => arp.read(frame));
    assert(questions.length > 0);
    for (const question of questions) {
      assert(question?.kind === 'question' && question.askerAddress !== undefined);
      assert.equal(formatAddress(question.askerAddress), near.address);
    }
  });

  test('has no socket open but while answers may come', async () => {
    const sockets = (): number =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
        } catch {
          return false;
        }
      }).length;
    give(`${address}/32`);
    const segment = segmentWith([address]);
    using _ = hosts.enter(hosts.near);
    const link = readLinks().find(({ name }) => name === hosts.near.link);
    assert(link !== undefined);
    const before = sockets();
    const clock = { random: () => 0.5, nowMs: () => nowMs };
    using witness = new LinkWitness(link, { segment, witnessMs: 2_000, ...clock });
    assert.equal(sockets(), before);
    await until('it asks', () => {
      nowMs += 50;
      witness.tick(nowMs);
      return witness.questions > 0;
    });
    assert.equal(sockets(), before + 1);
    nowMs += 500;
    witness.tick(nowMs);
    assert.equal(sockets(), before);
  });
});
