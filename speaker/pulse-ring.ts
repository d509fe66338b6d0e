import {
  adoptKeys,
  type Key,
  type KeyRing,
  openingKeys,
  openKeyRing,
  sealingKey,
} from './core/key-ring.ts';
import type { PulseKeys } from './pulse-keys.ts';

/** The keys of this process as they change, and what its peers seal with. */
export class PulseRing {
  readonly #nowMs: () => number;
  #ring: KeyRing;
  #heard: Key | undefined;

  constructor(keys: PulseKeys, nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#ring = openKeyRing(keys, nowMs());
  }

  adopt(keys: PulseKeys): void {
    this.#ring = adoptKeys(this.#ring, keys, this.#nowMs());
  }

  /** A peer seals with this one. */
  hear(key: Key): void {
    this.#heard = key;
  }

  get sealing(): Key {
    const key = sealingKey(this.#ring, this.#heard, this.#nowMs());
    if (key === undefined) throw new Error('sealing a message: there is no key');
    return key;
  }

  get opening(): readonly Key[] {
    return openingKeys(this.#ring, this.#nowMs());
  }
}
