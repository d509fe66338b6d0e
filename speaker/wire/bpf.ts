/**
 * Classic BPF: the programs a kernel runs over each frame to decide whether a socket gets it
 * (Linux Documentation/networking/filter.rst). One accumulator, one index register beside it, and sixteen words of
 * memory; jumps go forward only.
 */
export type Instruction = {
  readonly code: number;
  /** How many instructions a comparison skips when it holds, and when it does not: one byte each. */
  readonly jt: number;
  readonly jf: number;
  /** Constant, offset into the frame, or jump distance: 32 bits. */
  readonly k: number;
};
export type Program = readonly Instruction[];

/** BPF_MAXINSNS of linux/bpf_common.h. */
export const mostInstructions = 4096;
/** The furthest a comparison can jump; JA alone goes further. */
export const mostJump = 255;

/** Operation codes of linux/bpf_common.h: class | size or operation | mode or source. */
const codes = {
  loadWord: 0x20,
  loadHalf: 0x28,
  jump: 0x05,
  jumpEqual: 0x15,
  jumpGreater: 0x25,
  jumpAtLeast: 0x35,
  jumpIfAnyBit: 0x45,
  verdict: 0x06,
  loadConstant: 0x00,
  loadMemory: 0x60,
  storeMemory: 0x02,
  and: 0x54,
  shiftRight: 0x74,
  shiftLeftByIndex: 0x6c,
  toIndex: 0x07,
  fromIndex: 0x87,
} as const;

/**
 * Offsets that read what the kernel knows about a frame instead of its bytes (linux/filter.h):
 * SKF_AD_OFF plus SKF_AD_PKTTYPE or SKF_AD_VLAN_TAG_PRESENT.
 */
export const facts = { packetType: 0xfffff000 + 4, vlanTagPresent: 0xfffff000 + 48 } as const;

/** PACKET_HOST of linux/if_packet.h: to this station and no other. */
export const thisHost = 0;
/** PACKET_OTHERHOST of linux/if_packet.h: unicast to another station; below it, all is for us. */
export const otherHost = 3;

/** The whole frame; any number above its length does. */
export const accept: Instruction = { code: codes.verdict, jt: 0, jf: 0, k: 0x40000 };
export const drop: Instruction = { code: codes.verdict, jt: 0, jf: 0, k: 0 };

export const load = (size: 'word' | 'half', offset: number): Instruction => ({
  code: size === 'word' ? codes.loadWord : codes.loadHalf,
  jt: 0,
  jf: 0,
  k: offset,
});

/** Compares the accumulator with `k` and skips as many instructions as the outcome says. */
export const skip = (
  comparison: 'jumpEqual' | 'jumpGreater' | 'jumpAtLeast' | 'jumpIfAnyBit',
  k: number,
  { holds = 0, fails = 0 }: { holds?: number; fails?: number },
): Instruction => ({ code: codes[comparison], jt: holds, jf: fails, k });

export const skipAlways = (count: number): Instruction => ({
  code: codes.jump,
  jt: 0,
  jf: 0,
  k: count,
});

/** What changes the accumulator or moves it: `k` is the operand, or which word of the memory. */
export const compute = (
  operation:
    | 'loadConstant'
    | 'loadMemory'
    | 'storeMemory'
    | 'and'
    | 'shiftRight'
    | 'shiftLeftByIndex'
    | 'toIndex'
    | 'fromIndex',
  k = 0,
): Instruction => ({ code: codes[operation], jt: 0, jf: 0, k });

/** Goes on with what follows only when the accumulator equals `k`, else drops the frame. */
export const demand = (k: number): Program => [skip('jumpEqual', k, { holds: 1 }), drop];

/**
 * `struct sock_filter` of linux/filter.h in the machine's byte order, which is little-endian on
 * every machine we run on.
 *
 * | bytes | what |
 * |------:|------|
 * |     2 | code |
 * |     1 | jt   |
 * |     1 | jf   |
 * |     4 | k    |
 */
export function formatProgram(program: Program): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(program.length * 8));
  const view = new DataView(bytes.buffer);
  for (const [index, { code, jt, jf, k }] of program.entries()) {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jt);
    view.setUint8(index * 8 + 3, jf);
    view.setUint32(index * 8 + 4, k, true);
  }
  return bytes;
}
