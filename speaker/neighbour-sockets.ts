import type { Address } from '../net/address.ts';
import type { Lan } from './announcer.ts';
import type { Link } from './io/link.ts';
import { PacketSocket } from './io/packet-socket.ts';
import { etherTypeOf } from './wire/ethernet.ts';
import { protocols } from './wire/family.ts';
import { dropAll } from './wire/filter.ts';

/**
 * Where the neighbours of one link ask and are answered: a packet socket for each protocol. One for all frames would
 * hear those, too, that a program in the kernel has answered already.
 */
export class NeighbourSockets implements Lan, Disposable {
  readonly #sockets: ReadonlyMap<number, PacketSocket>;

  constructor(link: Link) {
    using opening = new DisposableStack();
    this.#sockets = new Map(
      protocols.map(({ etherType }) => [
        etherType,
        opening.use(new PacketSocket({ link, etherType })),
      ]),
    );
    opening.move();
  }

  get fds(): readonly number[] {
    return Array.from(this.#sockets.values(), ({ fd }) => fd);
  }

  /**
   * One batch of what has come in, as views that the next one overwrites; empty when there is nothing more. Where it is
   * known which of `fds` can be read, only those are.
   */
  receive(readable?: readonly number[]): readonly Uint8Array[] {
    const frames: Uint8Array[] = [];
    for (const socket of this.#sockets.values()) {
      if (readable?.includes(socket.fd) === false) continue;
      for (const frame of socket.receive().frames) frames.push(frame);
    }
    return frames;
  }

  /** Sends each frame through the socket of its protocol, in order, until a link does not take one. */
  send(frames: readonly Uint8Array[]): { readonly sent: number } {
    let sent = 0;
    for (const batch of byProtocol(frames)) {
      const taken = this.#sockets.get(batch.etherType)?.send(batch.frames).sent ?? 0;
      sent += taken;
      if (taken < batch.frames.length) break;
    }
    return { sent };
  }

  /** Hears, from now on, what concerns these addresses. */
  listenFor(addresses: readonly Address[]): void {
    for (const protocol of protocols) {
      this.#sockets.get(protocol.etherType)?.swapFilter(protocol.filters(addresses));
    }
  }

  /** Hears nothing, not even what has come in already. */
  deafen(): void {
    for (const socket of this.#sockets.values()) socket.swapFilter([dropAll]);
    while (this.receive().length > 0);
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets.values()) socket.close();
  }
}

type Batch = { readonly etherType: number; readonly frames: Uint8Array[] };

/** The same frames in the same order, neighbours of one protocol together. */
function byProtocol(frames: readonly Uint8Array[]): readonly Batch[] {
  const batches: Batch[] = [];
  for (const frame of frames) {
    const etherType = etherTypeOf(frame) ?? 0;
    const last = batches.at(-1);
    if (last?.etherType === etherType) last.frames.push(frame);
    else batches.push({ etherType, frames: [frame] });
  }
  return batches;
}
