import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { type Address, formatAddress, parseAddress } from '../net/address.ts';
import { broadcastMac, type Mac } from '../net/mac.ts';
import { Announcer } from './announcer.ts';
import { FakeLan } from './testing/fake-lan.ts';
import { answerTo, type Arp, formatArp, gratuitousRequest, parseArp } from './wire/arp.ts';
import { etherTypes, formatFrame, parseFrame } from './wire/ethernet.ts';
import { captured } from './wire/testing/captured.ts';

const ours: Mac = '02:00:00:00:00:01';
const asker: Mac = '02:00:00:00:00:0a';
const stranger: Mac = '02:00:00:00:00:66';

const at = (text: string): Address => {
  const address = parseAddress(text);
  assert(address);
  return address;
};
const vip = at('198.51.100.11');

function setUp({ held = [vip] }: { held?: readonly Address[] } = {}) {
  const lan = new FakeLan();
  const announcer = new Announcer({ lan, mac: ours, random: () => 0.5 });
  for (const address of held) announcer.hold(address, 0);
  return { lan, announcer };
}

/** `198.51.100.11 is at MAC, to MAC` for each frame, whichever form it has. */
function said(lan: FakeLan): string[] {
  return lan.taken().map((bytes) => {
    const frame = parseFrame(bytes);
    const message = frame && parseArp(frame.payload);
    assert(frame !== undefined && message !== undefined);
    assert.equal(frame.source, message.senderMac);
    return `${formatAddress(message.sender)} is at ${message.senderMac}, to ${frame.destination}`;
  });
}

const frameOf = (destination: Mac, message: Arp): Uint8Array =>
  formatFrame({
    destination,
    source: message.senderMac,
    etherType: etherTypes.arp,
    payload: formatArp(message),
  });

function question(target: Address, destination: Mac = broadcastMac): Uint8Array {
  const sender = at('198.51.100.10');
  const targetMac = '00:00:00:00:00:00';
  return frameOf(destination, {
    operation: 'request',
    senderMac: asker,
    sender,
    targetMac,
    target,
  });
}

/** Runs the announcer for so long, always at the time it asks for; when it spoke. */
function run(announcer: Announcer, lan: FakeLan, untilMs: number): number[] {
  const times: number[] = [];
  for (let nowMs = announcer.dueAtMs(); nowMs <= untilMs; nowMs = announcer.dueAtMs()) {
    announcer.tick(nowMs);
    if (lan.taken().length > 0) times.push(nowMs);
  }
  return times;
}

describe('an announcer asked about an address', () => {
  it('answers with the MAC of the link, a broadcast question and a unicast one', () => {
    const { lan, announcer } = setUp();
    announcer.answer([question(vip), question(vip, ours)]);
    const answer = `198.51.100.11 is at ${ours}, to ${asker}`;
    assert.deepEqual(said(lan), [answer, answer]);
  });

  it('defends it against a probe', () => {
    const { lan, announcer } = setUp();
    announcer.answer([captured.probe]);
    assert.deepEqual(said(lan), [`198.51.100.11 is at ${ours}, to ${asker}`]);
  });

  it('says nothing for an address it does not hold, or holds no more', () => {
    const { lan, announcer } = setUp();
    announcer.answer([question(at('198.51.100.12'))]);
    announcer.release(vip);
    announcer.answer([question(vip)]);
    assert.deepEqual(said(lan), []);
    assert.deepEqual(announcer.held(), []);
  });

  it('answers with the new MAC as soon as the link has one', () => {
    const { lan, announcer } = setUp();
    announcer.moveTo(stranger, 5);
    announcer.answer([question(vip)]);
    assert.deepEqual(said(lan), [`198.51.100.11 is at ${stranger}, to ${asker}`]);
  });
});

describe('an announcer left alone', () => {
  it('announces a new address at once, to all, in both forms', () => {
    const { lan, announcer } = setUp();
    assert.equal(announcer.dueAtMs(), 0);
    announcer.tick(0);
    const announcement = `198.51.100.11 is at ${ours}, to ${broadcastMac}`;
    assert.deepEqual(said(lan), [announcement, announcement]);
  });

  it('repeats it in a burst, then about once a minute', () => {
    const { lan, announcer } = setUp();
    const times = run(announcer, lan, 150_000);
    assert.deepEqual(times, [0, 50, 200, 1100, 2200, 3300, 4400, 64_400, 124_400]);
  });

  it('has nothing to do when it holds nothing', () => {
    const { announcer } = setUp({ held: [] });
    assert.equal(announcer.dueAtMs(), Infinity);
  });

  it('falls silent in the middle of a burst when the address is released', () => {
    const { lan, announcer } = setUp();
    assert.deepEqual(run(announcer, lan, 60), [0, 50]);
    announcer.release(vip);
    assert.deepEqual(run(announcer, lan, 100_000), []);
  });

  it('does not start again when told to hold what it holds', () => {
    const { lan, announcer } = setUp();
    assert.deepEqual(run(announcer, lan, 300), [0, 50, 200]);
    announcer.hold(vip, 300);
    assert.deepEqual(run(announcer, lan, 2_500), [1100, 2200]);
  });

  it('starts again when it was released and taken back', () => {
    const { lan, announcer } = setUp();
    run(announcer, lan, 300);
    announcer.release(vip);
    announcer.hold(vip, 1_000);
    assert.deepEqual(run(announcer, lan, 1_250), [1_000, 1_050, 1_200]);
  });

  it('starts again when the MAC changes, and when the link comes back', () => {
    const { lan, announcer } = setUp();
    run(announcer, lan, 10_000);
    announcer.moveTo(stranger, 10_000);
    assert.deepEqual(run(announcer, lan, 10_100), [10_000, 10_050]);
    announcer.moveTo(stranger, 10_120);
    assert.deepEqual(run(announcer, lan, 10_150), [], 'the same MAC is no change');
    announcer.announceAgain(20_000);
    assert.deepEqual(run(announcer, lan, 20_250), [20_000, 20_050, 20_200]);
  });

  it('announces 10,000 addresses in turns, so that questions wait for no more than one', () => {
    const held = Array.from({ length: 10_000 }, (_, index): Address => {
      return { family: 'IPv4', value: vip.value + BigInt(index) };
    });
    const { lan, announcer } = setUp({ held });
    const seen = new Set<string>();
    let most = 0;
    while (announcer.dueAtMs() <= 0) {
      announcer.tick(0);
      const frames = said(lan);
      most = Math.max(most, frames.length);
      for (const frame of frames) seen.add(frame);
    }
    assert.equal(seen.size, 10_000);
    assert.equal(most, 2 * 128);
    assert.equal(announcer.dueAtMs(), 50);
  });
});

describe('an announcer that hears others', () => {
  const claim = frameOf(broadcastMac, gratuitousRequest(vip, stranger));

  it('names the station that claims a held address, once for many frames, and answers nothing', () => {
    const { lan, announcer } = setUp();
    const reply = frameOf(asker, {
      ...answerTo({ ...gratuitousRequest(vip, asker), target: vip }, stranger),
      target: at('198.51.100.10'),
    });
    assert.deepEqual(announcer.answer([claim, claim, reply]), [{ address: vip, mac: stranger }]);
    assert.deepEqual(said(lan), []);
  });

  it('does not mind its own frames coming back, nor claims to what it does not hold', () => {
    const { lan, announcer } = setUp();
    const ownQuestion = { ...gratuitousRequest(vip, ours), sender: at('198.51.100.10') };
    const own = [gratuitousRequest(vip, ours), ownQuestion];
    const frames = own.map((message) => frameOf(broadcastMac, message));
    assert.deepEqual(announcer.answer(frames), []);
    assert.deepEqual(said(lan), []);
    announcer.release(vip);
    assert.deepEqual(announcer.answer([claim]), []);
  });

  it('takes 50,000 hostile frames in bounded time, and still answers', () => {
    const { lan, announcer } = setUp();
    let seed = 1;
    const byte = (): number => (seed = (seed * 48_271) % 0x7fffffff) & 0xff;
    const hostile = Array.from({ length: 1_000 }, (_, index) => {
      const frame = question(vip).slice(0, 14 + (index % 47));
      for (let times = 0; times <= index % 9; times++) frame[byte() % frame.length] = byte();
      return index % 3 === 0 ? frame.map(byte) : frame;
    });
    const start = performance.now();
    for (let times = 0; times < 50; times++) announcer.answer(hostile);
    assert(performance.now() - start < 5_000);
    lan.taken();
    announcer.answer([question(vip)]);
    assert.deepEqual(said(lan), [`198.51.100.11 is at ${ours}, to ${asker}`]);
  });
});

describe('what an announcer counts', () => {
  it('goes on when the address is released', () => {
    const { announcer } = setUp();
    announcer.tick(0);
    announcer.answer([question(vip), question(vip)]);
    const counts = { questions: 2, answers: 2, announcements: 1 };
    assert.deepEqual(announcer.counts(), counts);
    announcer.release(vip);
    assert.deepEqual(announcer.counts(), counts);
  });

  it('leaves out what the link did not take, and goes on with the burst', () => {
    const { lan, announcer } = setUp();
    lan.up = false;
    announcer.tick(0);
    announcer.answer([question(vip)]);
    assert.deepEqual(announcer.counts(), { questions: 1, answers: 0, announcements: 0 });
    lan.up = true;
    assert.deepEqual(run(announcer, lan, 250), [50, 200]);
  });

  it('says of each address once when its first announcement is out, and not before', () => {
    const many = Array.from({ length: 200 }, (_, index) => at(`198.51.100.${index}`));
    const { lan, announcer } = setUp({ held: many });
    assert.deepEqual(announcer.takeBegun(), []);
    lan.up = false;
    announcer.tick(0);
    assert.deepEqual(announcer.takeBegun(), []);
    lan.up = true;
    const begun: string[] = [];
    for (let nowMs = 50; nowMs < 5_000; nowMs += 50) {
      announcer.tick(nowMs);
      const heard = new Set(said(lan).map((each) => each.split(' ')[0]));
      for (const address of announcer.takeBegun()) {
        assert.ok(heard.has(address), address);
        begun.push(address);
      }
    }
    assert.deepEqual(begun.toSorted(), many.map(formatAddress).toSorted());
  });
});
