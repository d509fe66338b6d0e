import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { type Address, addressToBytes, parseAddress } from '../../net/address.ts';
import { formatProgram, mostInstructions, type Program } from './bpf.ts';
import { captured } from './testing/captured.ts';
import { capturedNdp } from './testing/captured-ndp.ts';
import {
  arpAnswersFilter,
  arpFilter,
  arpFilters,
  dropAll,
  ndpAnswersFilter,
  ndpFilter,
  ndpFilters,
  speakersFilter,
} from './filter.ts';

const loaded = new WeakMap<Program, DataView>();

/** What the kernel knows about a frame besides its bytes. */
type Arrival = { readonly packetType?: number; readonly tagged?: boolean };

/**
 * The machine of the BSD packet filter, from the bytes that the kernel gets: written after the
 * kernel's documentation, and sharing nothing with what builds the programs.
 */
function passes(program: Program, frame: Uint8Array, arrival: Arrival = {}): boolean {
  const memory = loaded.get(program) ?? new DataView(formatProgram(program).buffer);
  loaded.set(program, memory);
  const data = new DataView(frame.buffer, frame.byteOffset, frame.length);
  let accumulator = 0;
  let index = 0;
  const words = new Uint32Array(16);
  for (let at = 0; at * 8 < memory.byteLength; at++) {
    const [jt, jf] = [memory.getUint8(at * 8 + 2), memory.getUint8(at * 8 + 3)];
    const k = memory.getUint32(at * 8 + 4, true);
    switch (memory.getUint16(at * 8, true)) {
      case 0x20: // ld [k], with the kernel's ancillary offsets
        if (k === 0xfffff004) accumulator = arrival.packetType ?? 1;
        else if (k === 0xfffff030) accumulator = arrival.tagged === true ? 1 : 0;
        else if (k + 4 > frame.length) return false;
        else accumulator = data.getUint32(k);
        break;
      case 0x28: // ldh [k]
        if (k + 2 > frame.length) return false;
        accumulator = data.getUint16(k);
        break;
      case 0x00: // ld #k
        accumulator = k;
        break;
      case 0x60: // ld M[k]
        accumulator = words[k] ?? assert.fail();
        break;
      case 0x02: // st M[k]
        words[k] = accumulator;
        break;
      case 0x54: // and #k
        accumulator = (accumulator & k) >>> 0;
        break;
      case 0x74: // rsh #k
        accumulator >>>= k;
        break;
      case 0x6c: // lsh x; by 32 and more is not defined
        assert(index < 32);
        accumulator = (accumulator << index) >>> 0;
        break;
      case 0x07: // tax
        index = accumulator;
        break;
      case 0x87: // txa
        accumulator = index;
        break;
      case 0x45: // jset
        at += (accumulator & k) !== 0 ? jt : jf;
        break;
      case 0x05: // ja k
        at += k;
        break;
      case 0x15: // jeq
        at += accumulator === k ? jt : jf;
        break;
      case 0x25: // jgt
        at += accumulator > k ? jt : jf;
        break;
      case 0x35: // jge
        at += accumulator >= k ? jt : jf;
        break;
      case 0x06: // ret k
        return k > 0;
      default:
        assert.fail(`no such instruction at ${at}`);
    }
  }
  assert.fail('ran off the end');
}

const ipv4 = (value: number): Address => ({ family: 'IPv4', value: BigInt(value) });
const addresses = (...texts: string[]): Address[] =>
  texts.map((text) => {
    const address = parseAddress(text);
    assert(address);
    return address;
  });

/** A captured frame with other addresses in it. */
function arpFrame(operation: number, sender: number, target: number): Uint8Array {
  const frame = captured.question.slice();
  const view = new DataView(frame.buffer);
  view.setUint16(20, operation);
  view.setUint32(28, sender);
  view.setUint32(38, target);
  return frame;
}

const anyValue = fc.integer({ min: 0, max: 0xffffffff });
/** Scattered ones, and dense ones as pools have them. */
const anyValues = fc.oneof(
  fc.uniqueArray(anyValue, { maxLength: 40 }),
  fc
    .tuple(
      fc.integer({ min: 0, max: 0xffff_0000 }),
      fc.uniqueArray(fc.nat({ max: 900 }), { maxLength: 600 }),
    )
    .map(([base, offsets]) => offsets.map((offset) => base + offset)),
);

describe('the ARP filter', () => {
  it('passes requests for exactly the held addresses', () => {
    fc.assert(
      fc.property(anyValues, fc.array(anyValue), anyValue, (held, others, sender) => {
        const program = arpFilter(held.map(ipv4));
        const neighbours = held.flatMap((value) => [value - 1, value + 1]);
        for (const target of [...held, ...others, ...neighbours]) {
          if (target < 0 || target > 0xffffffff) continue;
          assert.equal(
            passes(program, arpFrame(1, sender, target)),
            held.includes(target),
            `${target}`,
          );
        }
      }),
      { numRuns: 30 },
    );
  });

  it('passes replies in which somebody claims a held address, whatever they answer to', () => {
    fc.assert(
      fc.property(anyValues, anyValue, anyValue, (held, sender, target) => {
        const program = arpFilter(held.map(ipv4));
        for (const claimed of [sender, ...held.slice(0, 3)]) {
          assert.equal(passes(program, arpFrame(2, claimed, target)), held.includes(claimed));
        }
      }),
    );
  });

  it('passes real questions, probes and gratuitous frames for a held address and no other', () => {
    const eleven = arpFilter(addresses('198.51.100.11'));
    const ten = arpFilter(addresses('198.51.100.10'));
    for (const frame of [captured.question, captured.probe, captured.answer, captured.defence]) {
      assert(passes(eleven, frame));
      assert(!passes(ten, frame));
    }
    for (const frame of [
      captured.gratuitousRequest,
      captured.gratuitousReply,
      captured.unicastQuestion,
    ]) {
      assert(passes(ten, frame));
      assert(!passes(eleven, frame));
    }
  });

  it('drops frames for other hosts, tagged, cut short, or not ARP for IPv4 over Ethernet', () => {
    const program = arpFilter(addresses('198.51.100.11'));
    for (const packetType of [0, 1, 2]) assert(passes(program, captured.question, { packetType }));
    for (const packetType of [3, 4, 7]) assert(!passes(program, captured.question, { packetType }));
    assert(!passes(program, captured.question, { tagged: true }));
    for (let length = 0; length < 42; length++) {
      assert(!passes(program, captured.question.subarray(0, length)), `${length} bytes`);
    }
    for (let at = 12; at < 22; at++)
      assert(!passes(program, captured.question.with(at, 9)), `byte ${at}`);
  });

  it('gives every frame a verdict, whatever the bytes', () => {
    const program = arpFilter(addresses('198.51.100.11', '198.51.100.13', '203.0.113.7'));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 128 }), (bytes) => {
        passes(program, bytes);
        passes(speakersFilter, bytes);
      }),
    );
  });

  it('drops everything when nothing is held', () => {
    assert.deepEqual(arpFilter([]), dropAll);
    assert.deepEqual(arpFilter(addresses('2001:db8::1')), dropAll);
    assert(!passes(dropAll, captured.question));
  });

  it('tells 3,900 scattered addresses apart within what a kernel takes', () => {
    const held = Array.from({ length: 3900 }, (_, index) => 0xc6336400 + index * 2);
    const program = arpFilter(held.map(ipv4));
    assert(program.length <= mostInstructions);
    for (const value of held) {
      assert(passes(program, arpFrame(1, 1, value)));
      assert(!passes(program, arpFrame(1, 1, value + 1)));
    }
  });

  it('tells 10,000 addresses of a pool of 30,000 apart, and any number of one of 40,000', () => {
    for (const [count, step] of [
      [10_000, 3],
      [20_000, 2],
    ] as const) {
      const held = Array.from({ length: count }, (_, index) => 0xc6336401 + index * step);
      const program = arpFilter(held.map(ipv4));
      assert(program.length <= mostInstructions);
      for (const value of held) {
        assert(passes(program, arpFrame(1, 1, value)));
        assert(!passes(program, arpFrame(1, 1, value + 1)));
      }
      assert(!passes(program, arpFrame(1, 1, 0xc6336400)));
    }
  });

  it('holds a contiguous pool of any size in a few instructions', () => {
    const held = Array.from({ length: 10_000 }, (_, index) => ipv4(0xc6330000 + index));
    assert(arpFilter(held).length < 32);
  });

  it('passes more than is held, never less, where the kernel grants too little room', () => {
    fc.assert(
      fc.property(anyValues, fc.integer({ min: 40, max: 300 }), (held, most) => {
        const program = arpFilter(held.map(ipv4), most);
        assert(program.length <= most);
        for (const value of held) assert(passes(program, arpFrame(1, 1, value)));
      }),
      { numRuns: 30 },
    );
  });

  it('closes the narrowest gaps first when it must be coarse', () => {
    const far = Array.from({ length: 100 }, (_, index) => 0x0a000000 + index * 1000);
    const held = far.flatMap((value) => [value, value + 2, value + 4]);
    const program = arpFilter(held.map(ipv4), 240);
    assert(passes(program, arpFrame(1, 1, 0x0a000001)));
    assert(!passes(program, arpFrame(1, 1, 0x0a000000 + 500)));
  });

  it('covers 10,000 scattered addresses, and ever more coarsely', () => {
    const held = Array.from(
      { length: 10_000 },
      (_, index) => 0x0a000000 + index * 99 + (index % 2),
    );
    const lengths = [...arpFilters(held.map(ipv4))].map((program) => {
      for (const value of held.slice(0, 50)) assert(passes(program, arpFrame(1, 1, value)));
      return program.length;
    });
    assert.deepEqual(
      lengths,
      lengths.toSorted((a, b) => b - a),
    );
    assert(lengths[0] !== undefined && lengths[0] > 3000 && lengths[0] <= mostInstructions);
    assert((lengths.at(-1) ?? Infinity) <= 64);
  });
});

describe('the NDP filter', () => {
  const pool = 0x2001_0db8n << 96n;
  const ipv6 = (value: bigint): Address => ({ family: 'IPv6', value });
  const about = (target: Address, frame: Uint8Array = capturedNdp.question): Uint8Array => {
    const other = frame.slice();
    other.set(addressToBytes(target), 62);
    return other;
  };

  it('passes questions for exactly the held addresses of a pool, whatever its prefix', () => {
    const prefixes = fc.bigInt({ min: 0n, max: 2n ** 96n - 1n });
    fc.assert(
      fc.property(prefixes, anyValues, fc.array(anyValue), (prefix, held, others) => {
        const inPool = (value: number): Address => ipv6((prefix << 32n) | BigInt(value));
        const program = ndpFilter(held.map(inPool));
        const neighbours = held.flatMap((value) => [value - 1, value + 1]);
        for (const value of [...held, ...others, ...neighbours]) {
          if (value < 0 || value > 0xffffffff) continue;
          assert.equal(passes(program, about(inPool(value))), held.includes(value), `${value}`);
        }
        for (const bit of [33n, 65n, 97n]) {
          const [value = 0] = held;
          const elsewhere = ipv6(inPool(value).value ^ (1n << bit));
          assert(!passes(program, about(elsewhere)));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('passes no less than is held, and no quarter that nobody has, whatever the addresses', () => {
    const anyHeld = fc.array(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), { maxLength: 60 });
    fc.assert(
      fc.property(anyHeld, fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), (held, other) => {
        const program = ndpFilter(held.map(ipv6));
        for (const value of held) assert(passes(program, about(ipv6(value))));
        const low = other & 0xffff_ffffn;
        if (!held.some((value) => (value & 0xffff_ffffn) === low)) {
          assert(!passes(program, about(ipv6(other))));
        }
      }),
    );
  });

  it('passes every real frame about a held address and no other', () => {
    const [a, b] = [ndpFilter(addresses('2001:db8::a')), ndpFilter(addresses('2001:db8::b'))];
    const { unicastQuestion, unicastAnswer, ...aboutB } = capturedNdp;
    for (const frame of Object.values(aboutB)) {
      assert(passes(b, frame));
      assert(!passes(a, frame));
    }
    for (const frame of [unicastQuestion, unicastAnswer]) {
      assert(passes(a, frame));
      assert(!passes(b, frame));
    }
  });

  it('drops frames for other hosts, tagged, cut short, routed, or not NDP', () => {
    const { question } = capturedNdp;
    const program = ndpFilter(addresses('2001:db8::b'));
    for (const packetType of [0, 1, 2]) assert(passes(program, question, { packetType }));
    for (const packetType of [3, 4, 7]) assert(!passes(program, question, { packetType }));
    assert(!passes(program, question, { tagged: true }));
    for (let length = 0; length < 78; length++) {
      assert(!passes(program, question.subarray(0, length)), `${length} bytes`);
    }
    for (const index of [12, 13, 20, 21, 54, 55]) {
      assert(!passes(program, question.with(index, 9)), `byte ${index}`);
    }
  });

  it('drops everything when nothing is held', () => {
    assert.deepEqual(ndpFilter([]), dropAll);
    assert.deepEqual(ndpFilter(addresses('198.51.100.11')), dropAll);
  });

  it('covers 10,000 scattered addresses, and ever more coarsely', () => {
    const held = Array.from({ length: 10_000 }, (_, index) =>
      ipv6(pool + BigInt(index % 3) * 2n ** 64n + BigInt(index * 99 + (index % 2))),
    );
    const lengths = [...ndpFilters(held)].map((program) => {
      for (const address of held.slice(0, 50)) assert(passes(program, about(address)));
      return program.length;
    });
    assert.deepEqual(
      lengths,
      lengths.toSorted((a, b) => b - a),
    );
    assert(lengths[0] !== undefined && lengths[0] > 3000 && lengths[0] <= mostInstructions);
    assert((lengths.at(-1) ?? Infinity) <= 64);
  });

  it('holds a contiguous pool of any size in a few instructions', () => {
    const held = Array.from({ length: 10_000 }, (_, index) => ipv6(pool + BigInt(index)));
    assert(ndpFilter(held).length < 40);
  });

  it('gives every frame a verdict, whatever the bytes', () => {
    const program = ndpFilter(addresses('2001:db8::b', '2001:db8:1::b'));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 128 }), (bytes) => {
        passes(program, bytes);
      }),
    );
  });
});

describe('the filter of the speakers', () => {
  it('passes our EtherType, to the group or to us, untagged', () => {
    const frame = new Uint8Array(60);
    frame.set([0x88, 0xb5], 12);
    assert(passes(speakersFilter, frame, { packetType: 2 }));
    assert(passes(speakersFilter, frame, { packetType: 0 }));
    assert(!passes(speakersFilter, frame, { packetType: 3 }));
    assert(!passes(speakersFilter, frame, { tagged: true }));
    assert(!passes(speakersFilter, captured.question));
  });
});

describe('the filters of answers', () => {
  const toUs: Arrival = { packetType: 0 };
  const filters = [
    { filter: arpAnswersFilter, answer: captured.answer, others: Object.values(captured) },
    { filter: ndpAnswersFilter, answer: capturedNdp.answer, others: Object.values(capturedNdp) },
  ];

  it('let through what answers this station, and nothing that asks', () => {
    assert(passes(arpAnswersFilter, captured.answer, toUs));
    assert(passes(arpAnswersFilter, captured.defence, toUs));
    assert(passes(ndpAnswersFilter, capturedNdp.answer, toUs));
    const questions = [captured.question, captured.unicastQuestion, captured.probe];
    const ndpQuestions = [capturedNdp.question, capturedNdp.unicastQuestion, capturedNdp.probe];
    for (const frame of questions) assert(!passes(arpAnswersFilter, frame, toUs));
    for (const frame of ndpQuestions) assert(!passes(ndpAnswersFilter, frame, toUs));
  });

  it('let through nothing that is for all, for a group or for another station, and nothing of a VLAN', () => {
    for (const { filter, answer } of filters) {
      for (const packetType of [1, 2, 3, 4]) assert(!passes(filter, answer, { packetType }));
      assert(!passes(filter, answer, { ...toUs, tagged: true }));
    }
  });

  it('let through nothing of another protocol, and nothing that is cut short', () => {
    for (const { filter, answer, others } of filters) {
      for (const one of filters) {
        if (one.filter === filter) continue;
        for (const frame of one.others) assert(!passes(filter, frame, toUs));
      }
      assert(others.length > 0);
      for (let length = 0; length < 20; length++) {
        assert(!passes(filter, answer.subarray(0, length), toUs));
      }
    }
  });
});
