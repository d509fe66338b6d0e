import { type Address, formatAddress, parseAddress } from '../net/address.ts';
import type { Mac } from '../net/mac.ts';
import type { Conflict } from './announcer.ts';
import type { Action } from './core/action.ts';
import { Contested } from './contested.ts';
import { type Hold, Probing } from './probing.ts';
import { neighboursOf } from './wire/family.ts';

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

/** The nodes that have found another station to have an address, and so have not answered for it; by canonical address. */
export type Quarantines = ReadonlyMap<string, readonly string[]>;

type Yield = Extract<Action, { kind: 'yield' }>;

export type Due = { readonly probes: readonly Address[]; readonly outcomes: readonly Outcome[] };
export type Outcome = Hold | GuardFact;

/**
 * Stands between who decides what is held on a link and who answers for it. What nobody here is known to have used it
 * holds back until nobody else is found to have it; what is taken over from a node that has used it passes at once, so
 * that a planned move loses nothing, whatever a third node says.
 */
export class Guard {
  readonly #probeMs: number;
  readonly #probing: Probing;
  readonly #contested = new Contested();
  #quarantines: Quarantines = new Map();
  /** Held back when they were given up: that nobody else has them is not known. */
  readonly #unproven = new Set<string>();
  /** Until when it is certain enough that nobody has settled on what was withdrawn here. */
  readonly #untouchedUntilMs = new Map<string, number>();
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

  /** From now on what is taken from one of these nodes is probed. */
  distrust(quarantines: Quarantines): void {
    this.#quarantines = quarantines;
  }

  /** Which of these are to be carried out now; what is held back comes out of `tick`. */
  admit(actions: readonly Action[], nowMs: number): readonly Action[] {
    this.#forgetWithdrawn(nowMs);
    return actions.filter((action) => {
      if (action.kind === 'speak') this.restart(nowMs);
      if (action.kind !== 'hold' && action.kind !== 'yield') return true;
      const address = parseAddress(action.address);
      if (address === undefined) return true;
      if (action.kind === 'yield') this.#noteYield(action, address, nowMs);
      this.#probing.end(address);
      this.#contested.release(address);
      if (action.kind === 'yield') return true;
      const isToProbe = this.#isToProbe(action, nowMs);
      this.#unproven.delete(action.address);
      this.#untouchedUntilMs.delete(action.address);
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
    this.#untouchedUntilMs.clear();
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

  /** What has left the plan is new when it comes back, unless that is at once. */
  #noteYield({ address: text, reason }: Yield, address: Address, nowMs: number): void {
    const isHeldBack = this.#probing.has(address);
    if (reason !== 'Withdrawn') {
      if (isHeldBack) this.#unproven.add(text);
      return;
    }
    if (isHeldBack || this.#contested.has(address)) return;
    const { settlesAfterMs } = neighboursOf(address.family);
    this.#untouchedUntilMs.set(text, nowMs + settlesAfterMs);
  }

  /** The oldest first: what waits behind one of the other family is kept some seconds longer than it counts. */
  #forgetWithdrawn(nowMs: number): void {
    for (const [text, untilMs] of this.#untouchedUntilMs) {
      if (nowMs < untilMs) return;
      this.#untouchedUntilMs.delete(text);
    }
  }

  #isToProbe({ reason, address, from }: Hold, nowMs: number): boolean {
    if (this.#probeMs === 0) return false;
    if (reason === 'Unclaimed') {
      const untilMs = this.#untouchedUntilMs.get(address) ?? -Infinity;
      return nowMs >= untilMs || this.#quarantines.has(address);
    }
    // Nobody has held it since this node did.
    if (from === undefined) return this.#unproven.has(address);
    return this.#quarantines.get(address)?.includes(from) === true;
  }
}
