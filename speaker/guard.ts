import { type Address, formatAddress, parseAddress } from '../net/address.ts';
import type { Mac } from '../net/mac.ts';
import type { Conflict } from './announcer.ts';
import type { Action } from './core/action.ts';
import { Contested } from './contested.ts';
import { type Hold, Probing } from './probing.ts';

/** What another station has to do with an address that is claimed here. */
export type GuardFact =
  | {
      readonly kind: 'foreign';
      readonly address: string;
      readonly mac: Mac;
      /** Nobody answers for it here; or it is answered for, and the other station claims it, too. */
      readonly state: 'Quarantined' | 'Contested';
    }
  /** Nobody else has it any more. */
  | { readonly kind: 'cleared'; readonly address: string }
  /** So many addresses are used although the link took no probe for them. */
  | { readonly kind: 'unasked'; readonly addresses: number };

type Due = { readonly probes: readonly Address[]; readonly outcomes: readonly Outcome[] };
export type Outcome = Hold | GuardFact;

/**
 * Stands between who decides what is held on a link and who answers for it. What nobody here is known to have used, and
 * what another node has quarantined, it holds back until nobody else is found to have it; what is taken over from
 * another node passes at once.
 */
export class Guard {
  readonly #probeMs: number;
  readonly #probing: Probing;
  readonly #contested = new Contested();
  #suspects: ReadonlySet<string> = new Set();
  /** Held back when their link was lost: that nobody else has them is not known. */
  readonly #unproven = new Set<string>();
  #claims = 0;

  /** @param probeMs the wait after each of the probes; 0: nothing is probed */
  constructor({ probeMs, random }: { probeMs: number; random: () => number }) {
    this.#probeMs = probeMs;
    this.#probing = new Probing({ probeMs, random });
  }

  /** What is held back: what is said about these addresses must be heard. */
  heldBack(): readonly Address[] {
    return this.#probing.addresses();
  }

  isHoldingBack(address: Address): boolean {
    return this.#probing.has(address);
  }

  /** `claims` are those of other stations heard so far. */
  counts(): { readonly foreignClaims: number; readonly quarantined: number } {
    return { foreignClaims: this.#claims, quarantined: this.#probing.quarantined };
  }

  /** From now on these are probed whatever the reason is for which they are taken. */
  suspect(addresses: ReadonlySet<string>): void {
    this.#suspects = addresses;
  }

  /** Which of these are to be carried out now; what is held back comes out of `tick`. */
  admit(actions: readonly Action[], nowMs: number): readonly Action[] {
    return actions.filter((action) => {
      if (action.kind === 'speak') this.#probing.restart(nowMs);
      if (action.kind !== 'hold' && action.kind !== 'yield') return true;
      const address = parseAddress(action.address);
      if (address === undefined) return true;
      const isLost = action.kind === 'yield' && action.reason === 'LinkDown';
      if (isLost && this.#probing.has(address)) this.#unproven.add(action.address);
      this.#probing.end(address);
      this.#contested.release(address);
      if (action.kind === 'yield') return true;
      const isToProbe = this.#isToProbe(action);
      this.#unproven.delete(action.address);
      if (isToProbe) this.#probing.begin(action, address, nowMs);
      return !isToProbe;
    });
  }

  /** Another station, none of ours, claims addresses that are held or held back. */
  hear(claims: readonly Conflict[], nowMs: number): readonly GuardFact[] {
    this.#claims += claims.length;
    return claims.flatMap((claim): GuardFact[] => {
      const { address, mac } = claim;
      const isHeldBack = this.#probing.has(address);
      const isNews = isHeldBack
        ? this.#probing.hear(claim, nowMs)
        : this.#contested.hear(address, nowMs);
      const state = isHeldBack ? 'Quarantined' : 'Contested';
      return isNews ? [{ kind: 'foreign', address: formatAddress(address), mac, state }] : [];
    });
  }

  /** The link stood still for a moment, or has another MAC: what was asked may not have been answered. */
  restart(nowMs: number): void {
    this.#probing.restart(nowMs);
  }

  /** When `tick` has something to do. */
  dueAtMs(): number {
    return Math.min(this.#probing.dueAtMs(), this.#contested.dueAtMs());
  }

  /** What is due: whom to probe for, and what has come of it. Everything that came in before must have been heard. */
  tick(nowMs: number): Due {
    const { probes, free, unasked } = this.#probing.tick(nowMs);
    const ended = this.#contested.tick(nowMs);
    const outcomes: Outcome[] = [];
    for (const { hold, wasForeign } of free) {
      if (wasForeign) outcomes.push({ kind: 'cleared', address: hold.address });
      outcomes.push(hold);
    }
    for (const address of ended)
      outcomes.push({ kind: 'cleared', address: formatAddress(address) });
    if (unasked > 0) outcomes.push({ kind: 'unasked', addresses: unasked });
    return { probes, outcomes };
  }

  /** The link did not take the probes for these. */
  unsent(addresses: readonly Address[]): void {
    this.#probing.unsent(addresses);
  }

  #isToProbe({ reason, address }: Hold): boolean {
    if (this.#probeMs === 0) return false;
    const isUnproven = reason === 'LinkReturned' && this.#unproven.has(address);
    return reason === 'Unclaimed' || isUnproven || this.#suspects.has(address);
  }
}
