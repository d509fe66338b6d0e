import { formatInstructions, instructionBytes, type Lines } from '../wire/ebpf.ts';
import { addressOf, check, errnoName, libc, memoryAt, pinned, SystemError } from './libc.ts';

/**
 * Maps, programs and links of bpf(2), each known by a descriptor. None is ever pinned into a file system: what the last
 * descriptor of this process held is gone when the process is.
 */

// enum bpf_cmd, bpf_map_type, bpf_prog_type and bpf_attach_type of linux/bpf.h
const BPF_MAP_CREATE = 0;
const BPF_MAP_UPDATE_ELEM = 2;
const BPF_MAP_DELETE_ELEM = 3;
const BPF_PROG_LOAD = 5;
const BPF_LINK_CREATE = 28;
const BPF_MAP_TYPE_HASH = 1;
const BPF_MAP_TYPE_ARRAY = 2;
const BPF_PROG_TYPE_SCHED_CLS = 3;
const BPF_TCX_INGRESS = 46;
const BPF_F_NO_PREALLOC = 1;
const BPF_F_BEFORE = 1 << 3;
const BPF_F_MMAPABLE = 1 << 10;
// asm-generic/mman-common.h
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_FAILED = 2n ** 64n - 1n;

const rights = ['BPF', 'NET_ADMIN'];

/**
 * A hash of keys to one byte each, filled and emptied entry by entry; takes memory for what is in it, and 16 bytes for
 * what could be.
 */
export const createHash = (keyBytes: number, mostEntries: number): number =>
  createMap('creating a hash for addresses', [
    BPF_MAP_TYPE_HASH,
    keyBytes,
    1,
    mostEntries,
    BPF_F_NO_PREALLOC,
  ]);

/** An array of one value that can be mapped into this process. */
export const createShared = (valueBytes: number): number =>
  createMap('creating memory to share with the kernel', [
    BPF_MAP_TYPE_ARRAY,
    4,
    valueBytes,
    1,
    BPF_F_MMAPABLE,
  ]);

/** | bytes, u32 each | type | key bytes | value bytes | most entries | flags | */
function createMap(doing: string, words: readonly number[]): number {
  const attributes = pinned(72);
  const view = new DataView(attributes.buffer);
  for (const [index, word] of words.entries()) view.setUint32(index * 4, word, true);
  return check(doing, bpf(BPF_MAP_CREATE, attributes), rights);
}

/** False when the map is full, or the memory is. */
export function putInto(fd: number, key: Uint8Array): boolean {
  if (bpf(BPF_MAP_UPDATE_ELEM, entry(fd, key, anyValue)) === 0) return true;
  const code = errnoName();
  if (code === 'E2BIG' || code === 'ENOMEM') return false;
  throw new SystemError('telling the kernel of an address', code);
}

/** What is not in the map is no error. */
export function removeFrom(fd: number, key: Uint8Array): void {
  if (bpf(BPF_MAP_DELETE_ELEM, entry(fd, key)) === 0) return;
  const code = errnoName();
  if (code !== 'ENOENT') throw new SystemError('taking an address from the kernel', code);
}

const anyValue = pinned(8);

/** | 0: u32 map | 8: u64 address of the key | 16: u64 address of the value, if any | 24: u64 flags | */
function entry(fd: number, key: Uint8Array, value?: Uint8Array): Uint8Array {
  const attributes = pinned(32);
  const view = new DataView(attributes.buffer);
  view.setUint32(0, fd, true);
  view.setBigUint64(8, addressOf(key), true);
  if (value !== undefined) view.setBigUint64(16, addressOf(value), true);
  return attributes;
}

/** The value of `createShared` as whole numbers of 64 bits, each written at once. */
export class SharedMemory implements Disposable {
  readonly #at: bigint;
  readonly #bytes: number;
  #words: BigUint64Array | undefined;

  constructor(fd: number, bytes: number) {
    const at = libc().mmap(null, bytes, PROT_READ_WRITE, MAP_SHARED, fd, 0);
    if (at === MAP_FAILED) throw new SystemError('mapping memory of the kernel', errnoName());
    this.#at = at;
    this.#bytes = bytes;
    this.#words = new BigUint64Array(memoryAt(at, bytes));
  }

  /** The number at this offset; zero once this is closed. */
  read(offset: number): bigint {
    return this.#words === undefined ? 0n : Atomics.load(this.#words, offset / 8);
  }

  write(offset: number, value: bigint): void {
    if (this.#words !== undefined) Atomics.store(this.#words, offset / 8, value);
  }

  [Symbol.dispose](): void {
    if (this.#words === undefined) return;
    // Nothing may touch what is unmapped.
    this.#words = undefined;
    libc().munmap(this.#at, this.#bytes);
  }
}

/**
 * Has the kernel check a program for frames at a link and compile it.
 *
 * | 0: u32 type | 4: u32 instructions | 8: u64 their address | 16: u64 address of the license | … | 48: name, 16 bytes |
 *
 * The license is what its functions are offered under: none of those we call asks for the GPL.
 */
export function loadProgram(name: string, lines: Lines): number {
  const instructions = formatInstructions(lines);
  const license = text('Apache-2.0');
  const attributes = pinned(72);
  const view = new DataView(attributes.buffer);
  view.setUint32(0, BPF_PROG_TYPE_SCHED_CLS, true);
  view.setUint32(4, instructions.length / instructionBytes, true);
  view.setBigUint64(8, addressOf(instructions), true);
  view.setBigUint64(16, addressOf(license), true);
  attributes.set(new TextEncoder().encode(name).subarray(0, 15), 48);
  return check('loading a program into the kernel', loadPatiently(attributes), rights);
}

/** The kernel breaks off its check when a signal comes in, as when a child has ended, and wants to be asked again. */
function loadPatiently(attributes: Uint8Array): number {
  for (let attempt = 1; ; attempt++) {
    const program = bpf(BPF_PROG_LOAD, attributes);
    if (program >= 0 || attempt === mostAttempts || errnoName() !== 'EAGAIN') return program;
  }
}

const mostAttempts = 20;

/**
 * Runs a program over what comes in on a link, before all others, for as long as the descriptor that it returns is open.
 *
 * | 0: u32 program | 4: u32 index of the link | 8: u32 where | 12: u32 flags | 16: u32 before whom: nobody | … |
 */
export function attachToIngress(program: number, linkIndex: number): number {
  const attributes = pinned(48);
  const view = new DataView(attributes.buffer);
  const words = [program, linkIndex, BPF_TCX_INGRESS, BPF_F_BEFORE];
  for (const [index, word] of words.entries()) view.setUint32(index * 4, word, true);
  return check('attaching a program to a link', bpf(BPF_LINK_CREATE, attributes), rights);
}

/** bpf(2) as it is: below zero is a failure. */
export const bpf = (command: number, attributes: Uint8Array): number =>
  libc().bpf(command, attributes, attributes.length);

const text = (words: string): Uint8Array => {
  const bytes = pinned(words.length + 1);
  new TextEncoder().encodeInto(words, bytes);
  return bytes;
};
