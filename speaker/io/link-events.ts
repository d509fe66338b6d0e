import { linkChanges, NetlinkSocket } from './netlink-socket.ts';

/**
 * Says that some link, or an address on one, has changed: then `readLinks` again. What changed is
 * not read from the messages, since the kernel drops them when too many come at once.
 */
export class LinkEvents implements Disposable {
  readonly #socket = new NetlinkSocket({ groups: linkChanges, blocking: false });

  /** Readable when something changed. */
  get fd(): number {
    return this.#socket.fd;
  }

  /** Takes back all that was told so far; whether there was anything. To be called before reading. */
  drain(): boolean {
    for (let changed = false; ; changed = true) {
      if (this.#socket.receive({ wait: false }) === 'nothing') return changed;
    }
  }

  close(): void {
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
