import type { Action } from './core/action.ts';
import type { Held } from './orders.ts';

type Hold = Action & { readonly kind: 'hold' };

/**
 * Addresses that are held and not announced yet, because more were taken than go out at once, or the link does not take
 * them. Nothing is told of them before.
 */
export class Unannounced {
  readonly #holds = new Map<string, { readonly hold: Hold; readonly sinceMs: number }>();

  add(hold: Hold, nowMs: number): void {
    this.#holds.set(hold.address, { hold, sinceMs: nowMs });
  }

  /** It is held no more; returns whether anything was told of it. */
  drop(address: string): boolean {
    return !this.#holds.delete(address);
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
