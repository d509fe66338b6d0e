import { addressOf, pinned } from './libc.ts';

/**
 * Room for a batch of frames, in the shape that `recvmmsg` and `sendmmsg` want. Layout on 64-bit
 * Linux, x64 and arm64 alike:
 *
 * | struct mmsghdr (64)           | offset | bytes |
 * |-------------------------------|-------:|------:|
 * | msg_iov: pointer to the iovec |     16 |     8 |
 * | msg_iovlen: 1                 |     24 |     8 |
 * | msg_flags                     |     48 |     4 |
 * | msg_len: bytes of the frame   |     56 |     4 |
 *
 * | struct iovec (16) | offset | bytes |
 * |-------------------|-------:|------:|
 * | iov_base          |      0 |     8 |
 * | iov_len           |      8 |     8 |
 */
export class Ring {
  readonly headers: Uint8Array;
  readonly slots: number;
  readonly slotBytes: number;
  readonly #headers: DataView;
  readonly #vectors: DataView;
  readonly #frames: Uint8Array;
  /** Of each slot, the frame that it held last: most are as long as the one before. */
  readonly #received: Uint8Array[] = [];

  constructor({ slots, slotBytes }: { slots: number; slotBytes: number }) {
    const vectors = pinned(slots * 16);
    this.slots = slots;
    this.slotBytes = slotBytes;
    this.headers = pinned(slots * 64);
    this.#frames = pinned(slots * slotBytes);
    this.#headers = new DataView(this.headers.buffer);
    this.#vectors = new DataView(vectors.buffer);
    const [vectorsAt, framesAt] = [addressOf(vectors), addressOf(this.#frames)];
    for (let slot = 0; slot < slots; slot++) {
      this.#headers.setBigUint64(slot * 64 + 16, vectorsAt + BigInt(slot * 16), true);
      this.#headers.setBigUint64(slot * 64 + 24, 1n, true);
      this.#vectors.setBigUint64(slot * 16, framesAt + BigInt(slot * slotBytes), true);
      this.#vectors.setUint32(slot * 16 + 8, slotBytes, true);
    }
  }

  /** The frame in a slot after a receive, as a view that the next receive overwrites; undefined when cut off. */
  received(slot: number): Uint8Array | undefined {
    const cutOff = (this.#headers.getUint32(slot * 64 + 48, true) & truncated) !== 0;
    if (cutOff) return undefined;
    const bytes = this.#headers.getUint32(slot * 64 + 56, true);
    const before = this.#received[slot];
    if (before?.length === bytes) return before;
    const start = slot * this.slotBytes;
    return (this.#received[slot] = this.#frames.subarray(start, start + bytes));
  }

  /** Puts a frame into a slot, to be sent; false when it is longer than a slot. */
  load(slot: number, frame: Uint8Array): boolean {
    if (frame.length > this.slotBytes) return false;
    this.#frames.set(frame, slot * this.slotBytes);
    this.#vectors.setUint32(slot * 16 + 8, frame.length, true);
    return true;
  }
}

/** MSG_TRUNC of linux/socket.h: the frame was longer than the room for it. */
const truncated = 0x20;
