import { existsSync, readFileSync } from 'node:fs';

import type { Address } from '../../net/address.ts';
import type { Mac } from '../../net/mac.ts';
import {
  answering,
  heldKey,
  heldKeyBytes,
  leaseBytes,
  leaseFields,
  macNumber,
} from '../wire/answering.ts';
import {
  attachToIngress,
  createHash,
  createShared,
  loadProgram,
  putInto,
  removeFrom,
  SharedMemory,
} from './bpf-objects.ts';
import { libc, SystemError } from './libc.ts';

/** Why the kernel of this machine does not answer for us on a link. */
export type Unfit = {
  readonly kind: 'unfit';
  readonly reason:
    /** BPF or NET_ADMIN is missing, or the container's runtime forbids bpf(2). */
    | 'RightMissing'
    /** It knows no programs at the entrance of a link (tcx, Linux 6.6), or none at all. */
    | 'KernelUnable'
    /** This process lives in a time namespace: no deadline of its clock means anything to the kernel. */
    | 'ClockShifted'
    /** The device went meanwhile. */
    | 'LinkGone';
  readonly detail: string;
};

type Link = { readonly index: number; readonly mac: Mac };

/**
 * Room for this many addresses on a link; those beyond are answered from the packet socket. The hash takes 256 KiB for
 * it when it is empty.
 */
const mostAddresses = 16_384;

/**
 * Has the kernel answer on one link for what is held, from the moment of the question, without waking anybody. It does
 * so on a lease that has to be renewed all the time: a process that stands still answers no more when its lease has run
 * out, and one that is gone at once, since nothing but its descriptors keeps the program there.
 */
export class KernelResponder implements Disposable {
  readonly kind = 'open';
  readonly #heldFd: number;
  readonly #linkFd: number;
  readonly #lease: SharedMemory;
  #open = true;

  /** Throws a `SystemError` where the kernel does not take it. */
  private constructor({ index, mac }: Link) {
    using opening = new DisposableStack();
    const closing = (fd: number): number => opening.adopt(fd, (one) => void libc().close(one));
    this.#heldFd = closing(createHash(heldKeyBytes, mostAddresses));
    // The program keeps this map, and the link the program: their descriptors are not needed any more.
    using leaseFd = owned(createShared(leaseBytes));
    this.#lease = opening.use(new SharedMemory(leaseFd.fd, leaseBytes));
    this.moveTo(mac);
    const maps = { heldFd: this.#heldFd, leaseFd: leaseFd.fd };
    using program = owned(loadProgram('mercurylb', answering(maps)));
    this.#linkFd = closing(attachToIngress(program.fd, index));
    opening.move();
  }

  /** Answers nothing before it has something to answer for, and a lease. */
  static open(link: Link): KernelResponder | Unfit {
    if (hasShiftedClock()) {
      const detail = 'this process lives in a time namespace with a clock of its own';
      return { kind: 'unfit', reason: 'ClockShifted', detail };
    }
    try {
      return new KernelResponder(link);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return { kind: 'unfit', reason: reasonOf(error), detail: error.message };
    }
  }

  /** From now on, as far as there is room. */
  hold(address: Address): void {
    putInto(this.#heldFd, heldKey(address));
  }

  /** From now on, not any more. */
  release(address: Address): void {
    removeFrom(this.#heldFd, heldKey(address));
  }

  moveTo(mac: Mac): void {
    this.#lease.write(leaseFields.mac, macNumber(mac));
  }

  /** Answers until then, in milliseconds of the monotonic clock. */
  renew(untilMs: number): void {
    this.#lease.write(leaseFields.until, BigInt(Math.floor(untilMs * 1e6)));
  }

  /** Answers nothing until the lease is renewed. */
  revoke(): void {
    this.#lease.write(leaseFields.until, 0n);
  }

  /** Since it was opened. */
  get answers(): number {
    return Number(this.#lease.read(leaseFields.answers));
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.revoke();
    libc().close(this.#linkFd);
    libc().close(this.#heldFd);
    this.#lease[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A descriptor that is closed at the end of the block. */
const owned = (fd: number): Disposable & { readonly fd: number } => ({
  fd,
  [Symbol.dispose]: () => void libc().close(fd),
});

function reasonOf({ code }: SystemError): Unfit['reason'] {
  if (code === 'EPERM' || code === 'EACCES') return 'RightMissing';
  return code === 'ENODEV' ? 'LinkGone' : 'KernelUnable';
}

const offsetsPath = '/proc/self/timens_offsets';

/** The offsets of the clocks (time_namespaces(7)), each in seconds and nanoseconds: `monotonic 0 0`. */
function hasShiftedClock(): boolean {
  if (!existsSync(offsetsPath)) return false;
  const monotonic = /^monotonic\s+(\S+)\s+(\S+)/m.exec(readFileSync(offsetsPath, 'utf8'));
  return monotonic !== null && (monotonic[1] !== '0' || monotonic[2] !== '0');
}
