/**
 * eBPF: the programs that the kernel checks once, compiles, and runs over frames (RFC 9669). Eleven registers of 64
 * bits: a call returns in r0, takes r1 to r5 and loses them; r10 points behind 512 bytes of stack. What is written
 * here is data; labels become jump distances in `formatInstructions`.
 */
export type Register = 'r0' | 'r1' | 'r2' | 'r3' | 'r4' | 'r5' | 'r6' | 'r7' | 'r8' | 'r9' | 'r10';

type Instruction = {
  readonly code: number;
  readonly destination?: Register;
  readonly source?: Register | MapReference;
  readonly offset?: number;
  readonly immediate?: number;
  /** The label to jump to; its distance takes the place of the offset. */
  readonly target?: string;
};
export type Line = Instruction | { readonly label: string };
export type Lines = readonly Line[];

/** What the kernel puts in the place of a map's descriptor: a pointer to the map, or to the value of its first entry. */
type MapReference = 'map' | 'value';

type Size = 'byte' | 'half' | 'word' | 'double';

/** Where something lies: so many bytes behind what a register points to. */
export type Place = readonly [base: Register, offset: number];

// RFC 9669 §3 to §5: class | size or operation | mode or source.
const sizes = { word: 0x00, half: 0x08, byte: 0x10, double: 0x18 } as const;
const codes = {
  loadImmediate: 0x18,
  load: 0x61,
  storeImmediate: 0x62,
  store: 0x63,
  atomic: 0xc3,
  jump: 0x05,
  call: 0x85,
  exit: 0x95,
} as const;
const arithmetic = {
  add: 0x07,
  or: 0x47,
  and: 0x57,
  shiftLeft: 0x67,
  shiftRight: 0x77,
  xor: 0xa7,
  set: 0xb7,
} as const;
const comparisons = { '==': 0x15, '>': 0x25, '>=': 0x35, '!=': 0x55 } as const;
/** Added to an operation whose operand is a register. */
const fromRegister = 0x08;
const registers: readonly Register[] = [
  'r0',
  'r1',
  'r2',
  'r3',
  'r4',
  'r5',
  'r6',
  'r7',
  'r8',
  'r9',
  'r10',
];
const references = { map: 1, value: 2 } as const;

/** Functions of the kernel, by their number in `__BPF_FUNC_MAPPER` of linux/bpf.h. */
const helpers = { lookUp: 1, nowNs: 5, redirect: 23, sumDifference: 28 } as const;

/** A name for the line that follows. */
export const label = (name: string): Line => ({ label: name });

/** `compute('add', 'r1', 4)`: the register and the operand, a number or another register, give its new value. */
export function compute(
  operation: keyof typeof arithmetic,
  destination: Register,
  operand: number | Register,
): Instruction {
  const code = arithmetic[operation];
  return typeof operand === 'number'
    ? { code, destination, immediate: operand }
    : { code: code | fromRegister, destination, source: operand };
}

export const load = (size: Size, destination: Register, [source, offset]: Place): Instruction => ({
  code: codes.load | sizes[size],
  destination,
  source,
  offset,
});

export function store(
  size: Size,
  [destination, offset]: Place,
  what: number | Register,
): Instruction {
  return typeof what === 'number'
    ? { code: codes.storeImmediate | sizes[size], destination, offset, immediate: what }
    : { code: codes.store | sizes[size], destination, offset, source: what };
}

/** Adds to a number of 64 bits that other processors add to as well. */
export const addAtomically = ([destination, offset]: Place, source: Register): Instruction => ({
  code: codes.atomic | sizes.double,
  destination,
  source,
  offset,
});

/** Goes on at the label when the comparison, unsigned and of 64 bits, holds. */
export function jumpIf(
  ...[register, comparison, operand, target]: [
    register: Register,
    comparison: keyof typeof comparisons,
    operand: number | Register,
    target: string,
  ]
): Instruction {
  const code = comparisons[comparison];
  return typeof operand === 'number'
    ? { code, destination: register, immediate: operand, target }
    : { code: code | fromRegister, destination: register, source: operand, target };
}

export const jump = (target: string): Instruction => ({ code: codes.jump, target });

export const call = (helper: keyof typeof helpers): Instruction => ({
  code: codes.call,
  immediate: helpers[helper],
});

/** Ends the program; r0 is its verdict. */
export const exit: Instruction = { code: codes.exit };

/** Points to the map with this descriptor. */
export const pointToMap = (destination: Register, fd: number): Instruction => ({
  code: codes.loadImmediate,
  destination,
  source: 'map',
  immediate: fd,
});

/** Points to the value of the only entry of the array with this descriptor. */
export const pointToValue = (destination: Register, fd: number): Instruction => ({
  code: codes.loadImmediate,
  destination,
  source: 'value',
  immediate: fd,
});

/** A number of 16 or 32 bits as it is read from a frame: in network order, on a little-endian machine. */
export const networkHalf = (value: number): number => ((value & 0xff) << 8) | (value >> 8);
export const networkWord = (value: number): number =>
  ((networkHalf(value & 0xffff) << 16) | networkHalf(value >>> 16)) >>> 0;

/**
 * `struct bpf_insn` of linux/bpf.h, one after the other.
 *
 * | bytes | what                                                                      |
 * |------:|---------------------------------------------------------------------------|
 * |     1 | code                                                                      |
 * |     1 | destination register in the low four bits, source in the high ones        |
 * |     2 | offset in memory, or jump distance in instructions from the next one      |
 * |     4 | immediate: a number, the helper to call, or the descriptor of a map       |
 *
 * What points to a map takes the room of two: the second holds the upper half of the pointer and is zero here. All
 * numbers are signed and little-endian.
 */
export function formatInstructions(lines: Lines): Uint8Array {
  const { instructions, starts, length } = layOut(lines);
  const bytes = new Uint8Array(new ArrayBuffer(length * instructionBytes));
  const view = new DataView(bytes.buffer);
  for (const [
    { code, destination, source, offset = 0, immediate = 0, target },
    at,
  ] of instructions) {
    const start = target === undefined ? undefined : starts.get(target);
    if (target !== undefined && start === undefined)
      throw new Error(`no line is labelled ${target}`);
    view.setUint8(at * instructionBytes, code);
    view.setUint8(at * instructionBytes + 1, numberOf(destination) | (numberOf(source) << 4));
    view.setInt16(at * instructionBytes + 2, start === undefined ? offset : start - at - 1, true);
    view.setInt32(at * instructionBytes + 4, immediate, true);
  }
  return bytes;
}

export const instructionBytes = 8;

/** Every instruction and the labels with the places they get. */
function layOut(lines: Lines) {
  const instructions: [Instruction, number][] = [];
  const starts = new Map<string, number>();
  let length = 0;
  for (const line of lines) {
    if ('label' in line) {
      if (starts.has(line.label)) throw new Error(`two lines are labelled ${line.label}`);
      starts.set(line.label, length);
    } else {
      instructions.push([line, length]);
      length += line.code === codes.loadImmediate ? 2 : 1;
    }
  }
  return { instructions, starts, length };
}

function numberOf(source: Register | MapReference | undefined): number {
  if (source === undefined) return 0;
  return source === 'map' || source === 'value' ? references[source] : registers.indexOf(source);
}
