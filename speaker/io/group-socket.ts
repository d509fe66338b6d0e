import { type Address, addressToBytes, formatAddress } from '../../net/address.ts';
import { check, errnoName, libc, pinned, SystemError } from './libc.ts';

// sys/socket.h, netinet/in.h
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const IPPROTO_IPV6 = 41;
const IPV6_ADD_MEMBERSHIP = 20;
const IPV6_DROP_MEMBERSHIP = 21;

/** What a kernel says that has no IPv6, on this link or at all, or that has lost the link. */
const noSuchThing = new Set(['EAFNOSUPPORT', 'EINVAL', 'ENODEV']);
const noRoom = new Set(['ENOMEM', 'ENOBUFS']);

/**
 * One link's memberships in IPv6 groups, as long as this is open. The kernel lets their frames through the NIC, tells
 * the switches that snoop (MLD), and repeats it to whoever asks. Needs no right and no address on the link.
 */
export class GroupSocket implements Disposable {
  readonly #link: { readonly name: string; readonly index: number };
  /** A socket has room for a few hundred memberships (`net.core.optmem_max`): the last one has some left. */
  readonly #fds: number[] = [];
  readonly #joined = new Map<string, number>();

  constructor(link: { readonly name: string; readonly index: number }) {
    this.#link = link;
    this.#openSocket();
  }

  /** False where the link has no IPv6, or is gone. */
  join(group: Address): boolean {
    const key = formatAddress(group);
    if (this.#joined.has(key)) return true;
    let fd = this.#fds.at(-1);
    let refusal = this.#ask(fd, IPV6_ADD_MEMBERSHIP, group);
    if (refusal !== undefined && noRoom.has(refusal)) {
      fd = this.#openSocket();
      refusal = this.#ask(fd, IPV6_ADD_MEMBERSHIP, group);
    }
    if (refusal !== undefined && !noSuchThing.has(refusal)) {
      throw new SystemError(`joining ${key} on ${this.#link.name}`, refusal);
    }
    if (fd === undefined || refusal !== undefined) return false;
    this.#joined.set(key, fd);
    return true;
  }

  /** A link that is gone has taken its memberships with it: that is no error. */
  leave(group: Address): void {
    const key = formatAddress(group);
    const fd = this.#joined.get(key);
    if (fd === undefined) return;
    this.#joined.delete(key);
    this.#ask(fd, IPV6_DROP_MEMBERSHIP, group);
  }

  close(): void {
    this.#joined.clear();
    for (const fd of this.#fds.splice(0)) libc().close(fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The name of the errno where the kernel refuses. */
  #ask(fd: number | undefined, name: number, group: Address): string | undefined {
    if (fd === undefined) return 'EAFNOSUPPORT';
    // struct ipv6_mreq: u8[16] group, i32 index of the link.
    const value = pinned(20);
    value.set(addressToBytes(group));
    new DataView(value.buffer).setInt32(16, this.#link.index, true);
    const refused = libc().setsockopt(fd, IPPROTO_IPV6, name, value, value.length) !== 0;
    return refused ? errnoName() : undefined;
  }

  /** Undefined where the kernel has no IPv6. */
  #openSocket(): number | undefined {
    const fd = libc().socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 && noSuchThing.has(errnoName())) return undefined;
    check(`opening a socket for the groups of ${this.#link.name}`, fd);
    this.#fds.push(fd);
    return fd;
  }
}
