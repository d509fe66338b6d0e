import { type Mac, macToBytes } from '../../net/mac.ts';
import { formatProgram, type Program } from '../wire/bpf.ts';
import { headerBytes, mostPayloadBytes } from '../wire/ethernet.ts';
import { dropAll } from '../wire/filter.ts';
import { addressOf, check, errnoName, libc, pinned, SystemError } from './libc.ts';
import { Ring } from './ring.ts';

/** Why a socket gave or took less than it was asked for. */
type SocketTrouble =
  /** The link is down; the same socket goes on when it is up again. */
  | 'LinkDown'
  /** The device is gone, or moved to another namespace; this socket will never work again. */
  | 'LinkGone'
  /** The socket's or the device's queue is full: try again later. */
  | 'QueueFull'
  /** The first frame not sent is longer than the link's MTU allows. */
  | 'TooLong';

/** How many frames a call takes or gives at most. */
export const batchFrames = 64;

/** `frames` are views that the next `receive` overwrites. */
type Received = { readonly frames: readonly Uint8Array[]; readonly trouble?: SocketTrouble };
/** The first `sent` of the frames are out. */
type Sent = { readonly sent: number; readonly trouble?: SocketTrouble };

export type PacketSocketOptions = {
  readonly link: { readonly name: string; readonly index: number };
  readonly etherType: number;
  /** What reaches the socket from its first moment on; nothing, by default. */
  readonly filter?: Program;
  /** 1 MiB holds 2,569 ARP frames while nobody reads; the usual default of 208 KiB, 264 (measured). */
  readonly receiveBufferBytes?: number;
};

// linux/socket.h, linux/if_packet.h, asm-generic/socket.h
const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_ATTACH_FILTER = 26;
const SO_RCVBUFFORCE = 33;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_STATISTICS = 6;
const MSG_DONTWAIT = 0x40;

/**
 * One AF_PACKET socket: the frames of one EtherType on one link, whole. It needs CAP_NET_RAW and
 * nothing else, and never blocks: wait for `fd` with a `Poll`. Bound to one EtherType, it comes after
 * the taps of tcpdump and of traffic control, and never sees what this host sends.
 */
export class PacketSocket implements Disposable {
  readonly fd: number;
  readonly #link: string;
  readonly #receiving = new Ring({ slots: batchFrames, slotBytes: headerBytes + mostPayloadBytes });
  readonly #sending = new Ring({ slots: batchFrames, slotBytes: headerBytes + mostPayloadBytes });
  #counted = { received: 0, dropped: 0, cutOff: 0 };
  /** Held so that nothing frees it while the kernel copies it. */
  #filter = pinned(0);
  #open = true;

  /**
   * Throws a `SystemError` when the right is missing. A device can go at any moment: one that went
   * before this makes a socket that says `LinkGone` as if it had gone just after.
   */
  constructor(options: PacketSocketOptions) {
    const { link, etherType, filter = dropAll, receiveBufferBytes = 1 << 20 } = options;
    this.#link = link.name;
    // Protocol 0 receives nothing: no frame may slip in before the filter stands and the link is bound.
    const type = SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC;
    this.fd = check(`opening a packet socket on ${link.name}`, libc().socket(AF_PACKET, type, 0));
    try {
      if (!this.swapFilter([filter])) {
        throw new Error(
          `attaching a filter of ${filter.length} instructions on ${link.name}: ` +
            'the kernel has no room for it. Raise the sysctl net.core.optmem_max.',
        );
      }
      this.#enlarge(receiveBufferBytes);
      this.#bind(linkAddress(link.index, etherType));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Puts the first of these programs that the kernel has room for in the place of the present one,
   * between two frames. False when it has room for none: then the present one stays.
   */
  swapFilter(programs: Iterable<Program>): boolean {
    for (const program of programs) {
      this.#filter = formatProgram(program);
      // struct sock_fprog: u16 length in instructions, padding, pointer.
      const value = pinned(16);
      const view = new DataView(value.buffer);
      view.setUint16(0, program.length, true);
      view.setBigUint64(8, addressOf(this.#filter), true);
      if (libc().setsockopt(this.fd, SOL_SOCKET, SO_ATTACH_FILTER, value, value.length) === 0) {
        return true;
      }
      const code = errnoName();
      if (code !== 'ENOMEM' && code !== 'EINVAL') {
        throw new SystemError(`attaching a filter on ${this.#link}`, code);
      }
    }
    return false;
  }

  /** Lets frames to this group's MAC through the NIC, as long as the socket is open and the device there. */
  join(group: Mac): void {
    // struct packet_mreq: i32 index, u16 type (0: multicast), u16 length, u8[8] address.
    const value = pinned(16);
    const view = new DataView(value.buffer);
    view.setInt32(0, this.#boundIndex(), true);
    view.setUint16(6, 6, true);
    value.set(macToBytes(group), 8);
    if (libc().setsockopt(this.fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, value, value.length) === 0)
      return;
    const code = errnoName();
    if (code !== 'ENODEV') throw new SystemError(`joining ${group} on ${this.#link}`, code);
  }

  /** What has come in, at most one ring full: ask again until there is nothing. */
  receive(): Received {
    const ring = this.#receiving;
    const count = libc().recvmmsg(this.fd, ring.headers, ring.slots, MSG_DONTWAIT, null);
    if (count < 0) {
      const trouble = this.#trouble('receiving');
      return trouble === 'QueueFull' ? { frames: [] } : { frames: [], trouble };
    }
    const frames: Uint8Array[] = [];
    for (let slot = 0; slot < count; slot++) {
      const frame = ring.received(slot);
      if (frame === undefined) this.#counted.cutOff++;
      else frames.push(frame);
    }
    return { frames };
  }

  /** Sends whole frames in order. What the link does not take now is left to the caller. */
  send(frames: readonly Uint8Array[]): Sent {
    const ring = this.#sending;
    let sent = 0;
    while (sent < frames.length) {
      const batch = frames.slice(sent, sent + ring.slots);
      for (const [slot, frame] of batch.entries()) {
        if (ring.load(slot, frame)) continue;
        throw new Error(
          `sending a frame of ${frame.length} bytes on ${this.#link}: the most is ${ring.slotBytes}`,
        );
      }
      const count = libc().sendmmsg(this.fd, ring.headers, batch.length, MSG_DONTWAIT);
      if (count < 0) return { sent, trouble: this.#trouble('sending') };
      sent += count;
    }
    return { sent };
  }

  /** Frames so far: let through by the filter, lost for want of room, and refused as too long. */
  statistics(): { readonly received: number; readonly dropped: number; readonly cutOff: number } {
    // struct tpacket_stats: u32 packets, u32 drops; asking sets both back to zero.
    const value = pinned(8);
    const doing = `reading the counters of ${this.#link}`;
    check(doing, libc().getsockopt(this.fd, SOL_PACKET, PACKET_STATISTICS, value, int(8)));
    const view = new DataView(value.buffer);
    const { received, dropped, cutOff } = this.#counted;
    // The first counter includes the second.
    const lost = view.getUint32(4, true);
    this.#counted = {
      received: received + view.getUint32(0, true) - lost,
      dropped: dropped + lost,
      cutOff,
    };
    return this.#counted;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    libc().close(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The last errno as an outcome where the caller can act on it; everything else is thrown. */
  #trouble(doing: string): SocketTrouble {
    const code = errnoName();
    switch (code) {
      case 'EAGAIN':
      case 'EINTR':
      case 'ENOBUFS':
        return 'QueueFull';
      case 'EMSGSIZE':
        return 'TooLong';
      case 'ENETDOWN':
      case 'ENXIO':
      case 'ENODEV':
        return this.#boundIndex() > 0 ? 'LinkDown' : 'LinkGone';
      default:
        throw new SystemError(`${doing} on ${this.#link}`, code);
    }
  }

  #bind(address: Uint8Array): void {
    if (libc().bind(this.fd, address, address.length) === 0) return;
    const code = errnoName();
    if (code !== 'ENODEV') {
      throw new SystemError(`binding a packet socket to ${this.#link}`, code);
    }
  }

  /**
   * The kernel unbinds a socket whose device goes: then this is -1, even if a namesake comes back.
   * It is 0 when the device had gone before.
   */
  #boundIndex(): number {
    const value = pinned(linkAddressBytes);
    const doing = `reading what a packet socket on ${this.#link} is bound to`;
    check(doing, libc().getsockname(this.fd, value, int(linkAddressBytes)));
    return new DataView(value.buffer).getInt32(4, true);
  }

  /** CAP_NET_ADMIN may go beyond `net.core.rmem_max`; without it, that is the most there is. */
  #enlarge(bytes: number): void {
    const value = int(bytes);
    if (libc().setsockopt(this.fd, SOL_SOCKET, SO_RCVBUFFORCE, value, value.length) === 0) return;
    const doing = `enlarging the receive buffer of a packet socket on ${this.#link}`;
    check(doing, libc().setsockopt(this.fd, SOL_SOCKET, SO_RCVBUF, value, value.length));
  }
}

const linkAddressBytes = 20;

/**
 * struct sockaddr_ll: u16 family, u16 protocol in network order, i32 index of the link; the rest,
 * 12 bytes, is for the kernel to fill in.
 */
function linkAddress(index: number, etherType: number): Uint8Array {
  const bytes = pinned(linkAddressBytes);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, etherType);
  view.setInt32(4, index, true);
  return bytes;
}

function int(value: number): Uint8Array {
  const bytes = pinned(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}
