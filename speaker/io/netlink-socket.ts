import { check, errnoName, libc, pinned, SystemError } from './libc.ts';

// linux/netlink.h, linux/rtnetlink.h, linux/socket.h
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_ROUTE = 0;
const MSG_DONTWAIT = 0x40;

/** RTMGRP_LINK, RTMGRP_IPV4_IFADDR and RTMGRP_IPV6_IFADDR: links and their addresses. */
export const linkChanges = 0x1 | 0x10 | 0x100;

/** A line to the kernel's routing part. Needs no rights to listen and to ask. */
export class NetlinkSocket implements Disposable {
  readonly fd: number;
  // The kernel fills dumps in pieces of at most 32 KiB (netlink_dump in net/netlink/af_netlink.c).
  readonly #bytes = pinned(1 << 15);
  #open = true;

  /** @param groups what to be told without asking; 0 for nothing */
  constructor({ groups, blocking }: { groups: number; blocking: boolean }) {
    const type = SOCK_RAW | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK);
    const doing = 'opening a netlink socket';
    this.fd = check(doing, libc().socket(AF_NETLINK, type, NETLINK_ROUTE));
    // struct sockaddr_nl: u16 family, padding, u32 port (0: the kernel chooses), u32 groups.
    const address = pinned(12);
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_NETLINK, true);
    view.setUint32(8, groups, true);
    try {
      check('binding a netlink socket', libc().bind(this.fd, address, address.length));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  send(bytes: Uint8Array): void {
    check('asking the kernel over netlink', libc().send(this.fd, bytes, bytes.length, 0));
  }

  /**
   * One datagram, as a view that the next call overwrites; `nothing` when none waits. `lost`: the
   * kernel had more to tell than the socket could hold.
   */
  receive({ wait }: { wait: boolean }): Uint8Array | 'nothing' | 'lost' {
    const flags = wait ? 0 : MSG_DONTWAIT;
    const length = libc().recv(this.fd, this.#bytes, this.#bytes.length, flags);
    if (length >= 0) return this.#bytes.subarray(0, length);
    const code = errnoName();
    if (code === 'EAGAIN' || code === 'EINTR') return 'nothing';
    if (code === 'ENOBUFS') return 'lost';
    throw new SystemError('listening to the kernel over netlink', code);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    libc().close(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
