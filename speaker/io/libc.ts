import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { getSystemErrorMessage, getSystemErrorName } from 'node:util';

import type Koffi from 'koffi';

/**
 * The system calls the speaker makes, under their own names and with their own return values:
 * below zero is a failure, which `check` or `failure` turns into words while errno is still there.
 */
type Libc = {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, bytes: number): number;
  getsockname(fd: number, address: Uint8Array, bytes: Uint8Array): number;
  setsockopt(
    ...option: [fd: number, level: number, name: number, value: Uint8Array, bytes: number]
  ): number;
  getsockopt(
    ...option: [fd: number, level: number, name: number, value: Uint8Array, bytes: Uint8Array]
  ): number;
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  recv(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  sendto(
    ...call: [
      fd: number,
      bytes: Uint8Array,
      length: number,
      flags: number,
      to: Uint8Array,
      toBytes: number,
    ]
  ): number;
  recvfrom(
    ...call: [
      fd: number,
      bytes: Uint8Array,
      most: number,
      flags: number,
      from: Uint8Array,
      fromBytes: Uint8Array,
    ]
  ): number;
  sendmmsg(fd: number, headers: Uint8Array, count: number, flags: number): number;
  recvmmsg(
    ...call: [fd: number, headers: Uint8Array, count: number, flags: number, timeout: null]
  ): number;
  epoll_create1(flags: number): number;
  epoll_ctl(epoll: number, operation: number, fd: number, event: Uint8Array): number;
  epoll_wait(epoll: number, events: Uint8Array, most: number, timeoutMs: number): number;
  eventfd(initial: number, flags: number): number;
  read(fd: number, bytes: Uint8Array, length: number): number;
  /** bpf(2), for which the C library has no name. */
  bpf(command: number, attributes: Uint8Array, bytes: number): number;
  /** The address that was mapped; -1 as an unsigned number where that failed. */
  mmap(
    ...mapping: [at: null, bytes: number, access: number, flags: number, fd: number, offset: number]
  ): bigint;
  munmap(at: bigint, bytes: number): number;
  /** Moves the calling thread into another network namespace, as tests do. */
  setns(fd: number, kind: number): number;
  close(fd: number): number;
};

/**
 * The C library of this process, glibc or musl. Bound at the first call, so that importing this
 * file does no harm on a machine that cannot run a speaker; each thread binds its own.
 */
export const libc = (): Libc => (bound ??= bind(ffi()));
let bound: Libc | undefined;

/** The package itself throws at import where it has no binary for the machine. */
const ffi = (): typeof Koffi => (loaded ??= load());
let loaded: typeof Koffi | undefined;

function load(): typeof Koffi {
  if (process.platform !== 'linux') {
    throw new Error(
      `a speaker needs Linux for its packet sockets: this is ${process.platform}. ` +
        'Run it in a Linux machine or container.',
    );
  }
  try {
    return createRequire(import.meta.url)('koffi') as typeof Koffi;
  } catch (cause) {
    const machine = `${process.platform}-${process.arch}`;
    throw new Error(`loading koffi, which calls the C library: is it installed for ${machine}?`, {
      cause,
    });
  }
}

function bind(koffi: typeof Koffi): Libc {
  const library = koffi.load(null);
  const call = (prototype: string) => library.func(prototype);
  const bpf = call('long syscall(long number, int command, void *attributes, uint bytes)');
  return {
    socket: call('int socket(int domain, int type, int protocol)'),
    bind: call('int bind(int fd, void *address, uint bytes)'),
    getsockname: call('int getsockname(int fd, void *address, void *bytes)'),
    setsockopt: call('int setsockopt(int fd, int level, int name, void *value, uint bytes)'),
    getsockopt: call('int getsockopt(int fd, int level, int name, void *value, void *bytes)'),
    send: call('long send(int fd, void *bytes, size_t length, int flags)'),
    recv: call('long recv(int fd, void *bytes, size_t length, int flags)'),
    sendto: call(
      'long sendto(int fd, void *bytes, size_t length, int flags, void *to, uint toBytes)',
    ),
    recvfrom: call(
      'long recvfrom(int fd, void *bytes, size_t most, int flags, void *from, void *fromBytes)',
    ),
    sendmmsg: call('int sendmmsg(int fd, void *headers, uint count, int flags)'),
    recvmmsg: call('int recvmmsg(int fd, void *headers, uint count, int flags, void *timeout)'),
    epoll_create1: call('int epoll_create1(int flags)'),
    epoll_ctl: call('int epoll_ctl(int epoll, int operation, int fd, void *event)'),
    epoll_wait: call('int epoll_wait(int epoll, void *events, int most, int timeout)'),
    eventfd: call('int eventfd(uint initial, int flags)'),
    read: call('long read(int fd, void *bytes, size_t length)'),
    bpf: (...words) => bpf(bpfNumber, ...words),
    mmap: call('void *mmap(void *at, size_t bytes, int access, int flags, int fd, long offset)'),
    munmap: call('int munmap(void *at, size_t bytes)'),
    setns: call('int setns(int fd, int kind)'),
    close: call('int close(int fd)'),
  };
}

/** `__NR_bpf`: of x86-64, and of all machines that came after (asm-generic/unistd.h). */
const bpfNumber = process.arch === 'x64' ? 321 : 280;

/** A system call that failed: what was being done, and `code`, the name of its errno. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  readonly code: string;

  /**
   * @param code the name of the errno, `EPERM` and the like
   * @param rights the capabilities that the call needs
   */
  constructor(doing: string, code: string, rights: Rights = rawFrames) {
    const errno = constants.errno[code as keyof typeof constants.errno];
    const fault = getSystemErrorMessage(-errno) ?? 'unknown error';
    super(`${doing}: ${fault} (${code})${remedy(code, rights)}`);
    this.code = code;
  }
}

type Rights = readonly string[];
const rawFrames: Rights = ['NET_RAW'];

function remedy(code: string, rights: Rights): string {
  if (code !== 'EPERM') return '';
  const missing = `the ${rights.length === 1 ? 'capability' : 'capabilities'} ${rights.join(' and ')}`;
  return `. The process lacks a right: give the container ${missing}, or run as root.`;
}

/** The name of the last errno; to be asked before any other call. */
export const errnoName = (): string => getSystemErrorName(-ffi().errno());

/** The result of a call that must not fail; throws a `SystemError` otherwise. */
export function check(doing: string, result: number, rights?: Rights): number {
  if (result < 0) throw new SystemError(doing, errnoName(), rights);
  return result;
}

/** So many bytes of memory at an address, never to be touched again once they are unmapped. */
export const memoryAt = (at: bigint, bytes: number): ArrayBuffer => ffi().view(at, bytes);

/** Where these bytes lie, for structures that hold pointers. Only for bytes outside V8's heap. */
export const addressOf = (bytes: Uint8Array): bigint => ffi().address(bytes);

/** Bytes that stay where they are: V8 moves small arrays, but never an `ArrayBuffer` of its own. */
export const pinned = (length: number): Uint8Array => new Uint8Array(new ArrayBuffer(length));
