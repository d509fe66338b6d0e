/** The kernel checks the program, runs it over frames, and thereby is the judge of every byte of it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, beforeEach, describe, it } from 'node:test';

import { setImmediate as turn } from 'node:timers/promises';

import fc from 'fast-check';

import { type Address, parseAddress } from '../../net/address.ts';
import { type Mac, macFromBytes, macToBytes } from '../../net/mac.ts';
import {
  answering,
  heldKey,
  heldKeyBytes,
  leaseBytes,
  leaseFields,
  macNumber,
  verdicts,
} from '../wire/answering.ts';
import { arp, ndp } from '../wire/family.ts';
import { captured } from '../wire/testing/captured.ts';
import { capturedNdp } from '../wire/testing/captured-ndp.ts';
import {
  createHash,
  createShared,
  loadProgram,
  putInto,
  removeFrom,
  SharedMemory,
} from './bpf-objects.ts';
import { libc } from './libc.ts';
import { needsBpf, type Outcome, runProgram } from './testing/run-program.ts';

const own: Mac = '02:00:00:00:00:0b';
const passedOn = (frame: Uint8Array): Outcome => ({ verdict: verdicts.next, frame });
const sent = (frame: Uint8Array): Outcome => ({ verdict: verdicts.redirect, frame });

function address(text: string): Address {
  const parsed = parseAddress(text);
  assert(parsed);
  return parsed;
}

/** A frame with other bytes at these offsets. */
function changed(
  frame: Uint8Array,
  changes: Readonly<Record<number, readonly number[]>>,
): Uint8Array {
  const copy = frame.slice();
  for (const [offset, bytes] of Object.entries(changes)) copy.set(bytes, Number(offset));
  return copy;
}

const cut = (frame: Uint8Array, bytes: number): Uint8Array => frame.slice(0, bytes);
const filled = (frame: Uint8Array, bytes: number): Uint8Array => {
  const longer = new Uint8Array(bytes);
  longer.set(frame);
  return longer;
};

describe('the program that answers in the kernel', needsBpf, () => {
  let heldFd: number;
  let leaseFd: number;
  let program: number;
  let lease: SharedMemory;
  before(() => {
    heldFd = createHash(heldKeyBytes, 16);
    leaseFd = createShared(leaseBytes);
    lease = new SharedMemory(leaseFd, leaseBytes);
    program = loadProgram('answering', answering({ heldFd, leaseFd }));
    lease.write(leaseFields.mac, macNumber(own));
    for (const text of ['198.51.100.11', '2001:db8::b']) putInto(heldFd, heldKey(address(text)));
  });
  beforeEach(() => lendFor(60_000));
  after(() => {
    lease[Symbol.dispose]();
    for (const fd of [program, leaseFd, heldFd]) libc().close(fd);
  });

  const lendFor = (ms: number): void =>
    lease.write(leaseFields.until, process.hrtime.bigint() + BigInt(ms) * 1_000_000n);
  const run = (frame: Uint8Array): Outcome => runProgram(program, frame);

  it('is loaded although signals come in meanwhile', async () => {
    for (let round = 0; round < 10; round++) {
      const ended = Array.from({ length: 10 }, () => once(spawn('true'), 'exit'));
      await turn();
      for (let load = 0; load < 30; load++) {
        libc().close(loadProgram('answering', answering({ heldFd, leaseFd })));
      }
      await Promise.all(ended);
    }
  });

  it('answers as the kernel of the holder would, byte by byte', () => {
    assert.deepEqual(run(captured.question), sent(captured.answer));
    assert.deepEqual(run(captured.probe), sent(captured.defence));
    assert.deepEqual(run(capturedNdp.question), sent(capturedNdp.answer));
  });

  it('answers questions that were filled up to the shortest frame of a wire', () => {
    assert.deepEqual(run(filled(captured.question, 60)), sent(filled(captured.answer, 60)));
  });

  it('answers questions to its own MAC, and none to that of another station', () => {
    // The MAC of the loopback link that it is run on.
    const toUs = changed(captured.question, { 0: [0, 0, 0, 0, 0, 0] });
    assert.deepEqual(run(toUs), sent(captured.answer));
    const toAnother = changed(captured.question, { 0: macBytes('02:00:00:00:00:66') });
    assert.deepEqual(run(toAnother), passedOn(toAnother));
  });

  it('answers with the MAC that the link has now', () => {
    lease.write(leaseFields.mac, macNumber('02:00:00:00:00:0c'));
    const { frame } = run(captured.question);
    assert.equal(macFromBytes(frame.subarray(6)), '02:00:00:00:00:0c');
    assert.equal(macFromBytes(frame.subarray(22)), '02:00:00:00:00:0c');
    lease.write(leaseFields.mac, macNumber(own));
  });

  it('answers until its lease has run out, and not at all without one', () => {
    lendFor(-1);
    assert.deepEqual(run(captured.question), passedOn(captured.question));
    lease.write(leaseFields.until, 0n);
    assert.deepEqual(run(capturedNdp.question), passedOn(capturedNdp.question));
    lendFor(60_000);
    assert.deepEqual(run(captured.question), sent(captured.answer));
  });

  it('answers for no address that was taken from it', () => {
    removeFrom(heldFd, heldKey(address('198.51.100.11')));
    assert.deepEqual(run(captured.question), passedOn(captured.question));
    putInto(heldFd, heldKey(address('198.51.100.11')));
    assert.deepEqual(run(captured.question), sent(captured.answer));
  });

  it('counts what it answers, and that only', () => {
    const before = lease.read(leaseFields.answers);
    for (let times = 0; times < 5; times++) run(captured.question);
    run(captured.gratuitousReply);
    assert.equal(lease.read(leaseFields.answers) - before, 5n);
  });

  const arpMessage = captured.question;
  const solicitation = capturedNdp.question;
  const strangers: Readonly<Record<string, Uint8Array>> = {
    'a question for another address': changed(arpMessage, { 41: [12] }),
    'a gratuitous request': changed(arpMessage, { 28: [198, 51, 100, 11] }),
    'an answer': changed(captured.answer, { 0: [0, 0, 0, 0, 0, 0], 38: [198, 51, 100, 11] }),
    'a question that is cut off': cut(arpMessage, 41),
    'nothing but a header': cut(arpMessage, 14),
    'a question that is longer than any': filled(arpMessage, 61),
    'a question about another hardware': changed(arpMessage, { 15: [6] }),
    'a question about another protocol': changed(arpMessage, { 16: [0x86] }),
    'a question with MACs of another length': changed(arpMessage, { 18: [8] }),
    'an operation that is neither': changed(arpMessage, { 21: [3] }),
    'a question from a group': changed(arpMessage, { 22: [3] }),
    'a question from nobody': changed(arpMessage, { 22: [0, 0, 0, 0, 0, 0] }),
    'a question of our own that came back': changed(arpMessage, { 22: macBytes(own) }),
    'a question with the EtherType of something else': changed(arpMessage, { 12: [0x88, 0xb5] }),
    'a question inside a VLAN that the kernel has not unpacked': Uint8Array.from([
      ...arpMessage.subarray(0, 12),
      0x81,
      0,
      0,
      7,
      ...arpMessage.subarray(12),
    ]),
    'a solicitation for another address': withSum(changed(solicitation, { 77: [0x0c] })),
    'a solicitation for an IPv4 address, mapped': withSum(
      changed(solicitation, { 62: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 11] }),
    ),
    'a solicitation for a held IPv4 address, filled up': withSum(
      changed(solicitation, { 62: [198, 51, 100, 11, ...Array.from({ length: 12 }, () => 0)] }),
    ),
    'a solicitation with a wrong checksum': changed(solicitation, { 56: [0] }),
    'a solicitation that came through a router': changed(solicitation, { 21: [254] }),
    'a solicitation with a code': withSum(changed(solicitation, { 55: [1] })),
    'a solicitation of another version of IP': changed(solicitation, { 14: [0x50] }),
    'a solicitation from nobody': withSum(
      changed(solicitation, { 22: Array.from({ length: 16 }, () => 0) }),
    ),
    'a solicitation whose length says otherwise': withSum(changed(solicitation, { 19: [24] })),
    'a solicitation from a group': withSum(changed(solicitation, { 22: [0xff, 0x02] })),
    'a solicitation from the address that it asks for': withSum(
      changed(solicitation, { 22: [...solicitation.subarray(62, 78)] }),
    ),
    'a probe for a duplicate address': capturedNdp.probe,
    'an unsolicited advertisement': capturedNdp.unsolicited,
    'a solicitation with the option of an advertisement': withSum(
      changed(solicitation, { 78: [2] }),
    ),
    'a solicitation with a longer option': withSum(changed(solicitation, { 79: [2] })),
    'a solicitation whose sender is a group on the link': withSum(
      changed(solicitation, { 80: [0x33] }),
    ),
    'a solicitation of our own that came back': withSum(
      changed(solicitation, { 80: macBytes(own) }),
    ),
    'a solicitation that is cut off': cut(solicitation, 85),
    'a solicitation with something behind it': filled(solicitation, 94),
    'an advertisement': withSum(changed(solicitation, { 54: [136] })),
    'other ICMP': withSum(changed(solicitation, { 54: [128] })),
    'another protocol over IPv6': changed(solicitation, { 20: [17] }),
  };
  for (const [name, frame] of Object.entries(strangers)) {
    it(`leaves ${name} as it is`, () => assert.deepEqual(run(frame), passedOn(frame)));
  }

  it('leaves a solicitation without a MAC to who can look it up', () => {
    const bare = withSum(changed(cut(solicitation, 78), { 18: [0, 24] }));
    assert.deepEqual(run(bare), passedOn(bare));
  });

  it('answers exactly those ARP frames, out of all, that the packet socket would, and as it would', () => {
    const property = fc.property(anyDisturbance(60), (disturbance) => {
      const frame = changed(filled(captured.question, 60), disturbance);
      const question = arp.read(frame);
      const isOurs = question?.kind === 'question' && question.target.value === heldValue;
      if (!isOurs || question.asker === own || !isForUs(frame)) {
        assert.deepEqual(run(frame), passedOn(frame));
        return;
      }
      const { verdict, frame: answer } = run(frame);
      assert.equal(verdict, verdicts.redirect);
      assert.deepEqual(answer.subarray(0, 42), arp.answer(question, own).subarray(0, 42));
    });
    fc.assert(property, { numRuns: 3_000 });
  });

  it('answers no NDP frame that the packet socket would not, and each as it would', () => {
    let answered = 0;
    const property = fc.property(anyDisturbance(86), fc.boolean(), (disturbance, sealed) => {
      const disturbed = changed(solicitation, disturbance);
      const frame = sealed ? withSum(disturbed) : disturbed;
      const { verdict, frame: answer } = run(frame);
      if (verdict === verdicts.next) {
        assert.deepEqual(answer, frame);
        return;
      }
      const question = ndp.read(frame);
      assert(question?.kind === 'question' && isForUs(frame));
      assert.deepEqual(answer, ndp.answer(question, own));
      answered++;
    });
    fc.assert(property, { numRuns: 3_000 });
    assert(answered > 100, `${answered} of 3,000`);
  });
});

const heldValue = address('198.51.100.11').value;

/** To a group; a loopback link has no MAC that a random byte would make. */
const isForUs = (frame: Uint8Array): boolean => ((frame[0] ?? 0) & 1) === 1;

function macBytes(mac: Mac): number[] {
  return [...macToBytes(mac)];
}

/** Up to three bytes of a frame become others, often small numbers. */
const anyDisturbance = (length: number) =>
  fc
    .array(fc.tuple(fc.nat(length - 1), fc.oneof(fc.nat(3), fc.nat(255))), { maxLength: 3 })
    .map((changes) => Object.fromEntries(changes.map(([offset, byte]) => [offset, [byte]])));

/** With the checksum that belongs to it: RFC 1071, over RFC 8200 §8.1, bit by bit as they say it. */
function withSum(frame: Uint8Array): Uint8Array {
  const copy = changed(frame, { 56: [0, 0] });
  const message = copy.subarray(54);
  const summed = Buffer.concat([
    copy.subarray(22, 54),
    Uint8Array.of(0, 0, 0, message.length, 0, 0, 0, 58),
    message,
  ]);
  let sum = 0;
  for (let at = 0; at < summed.length; at += 2) sum += summed.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return changed(copy, { 56: [(~sum >> 8) & 255, ~sum & 255] });
}
