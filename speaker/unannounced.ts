import type { Action } from './core/action.ts';
import type { Held } from './orders.ts';

type Waiting = { readonly hold: Hold; readonly sinceMs: number; isKnown: boolean };
type Hold = Action & { readonly kind: 'hold' };

/**
 * Addresses that are held and not announced yet, because more were taken than go out at once, or the link does not take
 * them. Nothing is told of them before.
 */
export class Unannounced {
  readonly #holds = new Map<string, Waiting>();

  add(hold: Hold, nowMs: number): void {
    this.#holds.set(hold.address, { hold, sinceMs: nowMs, isKnown: false });
  }

  /** Why it is not announced has been told: then its end is to be told, too. */
  tell(address: string): void {
    const waiting = this.#holds.get(address);
    if (waiting !== undefined) waiting.isKnown = true;
  }

  /** It is held no more; returns whether anything was told of it. */
  drop(address: string): boolean {
    const isKnown = this.#holds.get(address)?.isKnown ?? true;
    this.#holds.delete(address);
    return isKnown;
  }

  /** These are out: what is to be told of them. */
  take(addresses: readonly string[], nowMs: number): readonly Omit<Held, 'link' | 'mac'>[] {
    return addresses.flatMap((address) => {
      const waiting = this.#holds.get(address);
      if (waiting === undefined) return [];
      this.#holds.delete(address);
      return [{ ...waiting.hold, kind: 'held', takeoverMs: nowMs - waiting.sinceMs }];
    });
  }
}
