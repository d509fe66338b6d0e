import type { Lan } from '../announcer.ts';

/** For tests: a link that keeps what it was given, and can be down. */
export class FakeLan implements Lan {
  up = true;
  readonly #frames: Uint8Array[] = [];

  send(frames: readonly Uint8Array[]): { readonly sent: number } {
    if (!this.up) return { sent: 0 };
    this.#frames.push(...frames);
    return { sent: frames.length };
  }

  /** What was sent since it was last asked. */
  taken(): readonly Uint8Array[] {
    return this.#frames.splice(0);
  }
}
