import { type Address, addressFromBytes, addressToBytes } from '../../net/address.ts';
import { check, errnoName, libc, pinned, SystemError } from './libc.ts';

// bits/socket.h, netinet/in.h
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/** As long as the longest frame: what is cut off is not ours. */
const mostBytes = 2048;
/** `::ffff:0:0/96` (RFC 4291 §2.5.5.2): how a socket of both families shows IPv4. */
const mappedPrefix = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);

type Datagram = { readonly from: Address; readonly bytes: Uint8Array };

/**
 * A UDP socket that never waits; of both families, or of IPv4 alone where the kernel has no IPv6.
 *
 * | offset | bytes | `struct sockaddr_in6` (RFC 3493 §3.3)               | offset | bytes | `struct sockaddr_in` |
 * |-------:|------:|-----------------------------------------------------|-------:|------:|----------------------|
 * |      0 |     2 | family, in the order of the machine                 |      0 |     2 | the same             |
 * |      2 |     2 | port                                                |      2 |     2 | the same             |
 * |      4 |     4 | flow, not used                                      |      4 |     4 | the address          |
 * |      8 |    16 | the address; IPv4 behind the prefix for mapped ones |      8 |     8 | not used             |
 * |     24 |     4 | scope, not used                                     |        |       |                      |
 */
export class DatagramSocket implements Disposable {
  readonly fd: number;
  readonly #port: number;
  readonly #family: typeof AF_INET | typeof AF_INET6;
  readonly #bytes = pinned(mostBytes);
  readonly #from = pinned(28);
  readonly #fromBytes = pinned(4);
  #open = true;

  /** Throws where the port is taken. */
  constructor(port: number) {
    const type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    const both = libc().socket(AF_INET6, type, 0);
    this.#family = both < 0 && errnoName() === 'EAFNOSUPPORT' ? AF_INET : AF_INET6;
    const fd = this.#family === AF_INET6 ? both : libc().socket(AF_INET, type, 0);
    this.fd = check('opening a UDP socket', fd);
    this.#port = port;
    try {
      if (this.#family === AF_INET6) {
        const off = new Uint8Array(4);
        const option = [this.fd, IPPROTO_IPV6, IPV6_V6ONLY, off, off.length] as const;
        check('opening a UDP socket for IPv4 too', libc().setsockopt(...option));
      }
      const family = this.#family === AF_INET6 ? 'IPv6' : 'IPv4';
      const any = this.#addressOf({ family, value: 0n });
      check(`listening on UDP port ${port}`, libc().bind(this.fd, any, any.length));
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** What a full queue or a missing route does not take is lost, as on the wire. */
  send(bytes: Uint8Array, to: Address): void {
    if (this.#family === AF_INET && to.family === 'IPv6') return;
    const address = this.#addressOf(to);
    libc().sendto(this.fd, bytes, bytes.length, 0, address, address.length);
  }

  /** The next one that waits; undefined for none. */
  receive(): Datagram | undefined {
    for (;;) {
      new DataView(this.#fromBytes.buffer).setUint32(0, this.#from.length, true);
      const call = [this.fd, this.#bytes, mostBytes, 0, this.#from, this.#fromBytes] as const;
      const length = libc().recvfrom(...call);
      if (length >= 0) {
        const from = this.#readFrom();
        if (from !== undefined) return { from, bytes: this.#bytes.slice(0, length) };
        continue;
      }
      const code = errnoName();
      if (code === 'EAGAIN') return undefined;
      // Errors that ICMP brought are told once each, in place of a datagram.
      if (code !== 'EINTR' && code !== 'ECONNREFUSED' && code !== 'EHOSTUNREACH') {
        throw new SystemError('receiving a datagram', code);
      }
    }
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    libc().close(this.fd);
  }

  #addressOf(address: Address): Uint8Array {
    const bytes = pinned(this.#family === AF_INET6 ? 28 : 16);
    const view = new DataView(bytes.buffer);
    const value = addressToBytes(address);
    view.setUint16(0, this.#family, true);
    view.setUint16(2, this.#port);
    if (this.#family === AF_INET) {
      bytes.set(value.subarray(0, 4), 4);
      return bytes;
    }
    if (value.length === 4) bytes.set(mappedPrefix, 8);
    bytes.set(value, 24 - value.length);
    return bytes;
  }

  #readFrom(): Address | undefined {
    const from = this.#from;
    if (this.#family === AF_INET) return addressFromBytes(from.slice(4, 8));
    const isMapped = mappedPrefix.every((byte, index) => from[8 + index] === byte);
    return addressFromBytes(from.slice(isMapped ? 20 : 8, 24));
  }
}
