import { type Address, formatAddress } from '../net/address.ts';
import type { Conflict } from './announcer.ts';
import type { Mac } from '../net/mac.ts';
import type { Action } from './core/action.ts';
import { tellEveryMs } from './contested.ts';
import { Schedule } from './schedule.ts';

export type Hold = Extract<Action, { kind: 'hold' }>;

/** PROBE_NUM of RFC 5227 §1.1: one lost frame, or two, is not taken for silence. */
export const probesPerRound = 3;
/** How often a quarantined address is probed again: a fifth earlier or later, so that addresses do not march in step. */
export const probeAgainMs = { least: 8_000, most: 12_000 } as const;
/** So many rounds in a row nobody must answer: the other station may only have been starting anew. */
export const silentRoundsToFree = 2;
/** More in one tick would keep questions waiting, as with announcements. What is left is due at once. */
const mostPerTick = 128;

/** An address that is claimed here, and not used before it is known that nobody else does. */
type Probe = {
  readonly address: Address;
  readonly hold: Hold;
  /** Of the round that is under way; 0 where none is. */
  probes: number;
  /** Those of them that the link did not take. */
  unsent: number;
  /** Who has it, and when that was told; undefined before anybody was heard: then it is not quarantined. */
  foreign: { readonly mac: Mac; readonly toldAtMs: number } | undefined;
  silentRounds: number;
};

/** `wasForeign`: another station had it before. */
type Free = { readonly hold: Hold; readonly wasForeign: boolean };

/** What a tick has come to. */
type Probed = {
  /** These are to be probed now. */
  readonly probes: readonly Address[];
  /** Nobody has these: they are to be answered for and announced. */
  readonly free: readonly Free[];
  /** So many of them are free as far as could be found out: the link took no probe. */
  readonly unasked: number;
};

/**
 * Finds out whether another station has an address before it is used: three probes, each with a wait, and a wait for
 * answers. Who answers, announces it or probes for it, has it; then it is quarantined, and probed again now and then.
 * What is to be sent it returns; time comes in as an argument.
 */
export class Probing {
  readonly #probeMs: number;
  readonly #random: () => number;
  readonly #probes = new Map<string, Probe>();
  readonly #schedule = new Schedule<Probe>();

  /** @param probeMs the wait after each probe */
  constructor({ probeMs, random }: { probeMs: number; random: () => number }) {
    this.#probeMs = probeMs;
    this.#random = random;
  }

  /** The addresses that are not to be used yet. */
  addresses(): readonly Address[] {
    return Array.from(this.#probes.values(), ({ address }) => address);
  }

  has(address: Address): boolean {
    return this.#probes.has(formatAddress(address));
  }

  /** How many of them another station has. */
  get quarantined(): number {
    return [...this.#probes.values()].filter(({ foreign }) => foreign !== undefined).length;
  }

  begin(hold: Hold, address: Address, nowMs: number): void {
    this.end(address);
    const probe = { address, hold, ...noRound, foreign: undefined, silentRounds: 0 };
    this.#probes.set(formatAddress(address), probe);
    this.#schedule.set(probe, nowMs);
  }

  /** The address is claimed here no longer. */
  end(address: Address): void {
    const probe = this.#probes.get(formatAddress(address));
    if (probe === undefined) return;
    this.#probes.delete(formatAddress(address));
    this.#schedule.delete(probe);
  }

  /** Nothing that was heard, or not heard, since the first probe counts: the link or this process stood still. */
  restart(nowMs: number): void {
    for (const probe of this.#probes.values()) {
      if (probe.foreign !== undefined && probe.probes === 0) continue;
      Object.assign(probe, noRound);
      this.#schedule.set(probe, nowMs);
    }
  }

  /**
   * Another station says that it has an address that is probed here, or wants it. Returns whether that is to be told:
   * it was not quarantined before, or another station has it now.
   */
  hear({ address, mac }: Conflict, nowMs: number): boolean {
    const probe = this.#probes.get(formatAddress(address));
    if (probe === undefined) return false;
    const { foreign } = probe;
    // Between two rounds the next one stays where it is: a station that talks all the time would put it off for ever.
    if (foreign === undefined || probe.probes > 0) this.#rest(probe, nowMs);
    probe.silentRounds = 0;
    if (foreign?.mac === mac) return false;
    if (foreign !== undefined && nowMs < foreign.toldAtMs + tellEveryMs) return false;
    probe.foreign = { mac, toldAtMs: nowMs };
    return true;
  }

  /** When `tick` has something to do; Infinity when nothing is probed. */
  dueAtMs(): number {
    return this.#schedule.nextMs();
  }

  /** Goes on with what is due. Everything that came in before must have been heard. */
  tick(nowMs: number): Probed {
    const probes: Address[] = [];
    const free: Free[] = [];
    let unasked = 0;
    for (let count = 0; count < mostPerTick; count++) {
      const probe = this.#schedule.take(nowMs);
      if (probe === undefined) break;
      if (probe.probes < probesPerRound) {
        probe.probes++;
        probes.push(probe.address);
        this.#schedule.set(probe, nowMs + this.#probeMs);
      } else if (this.#isFree(probe)) {
        if (wasNotAsked(probe)) unasked++;
        this.#probes.delete(formatAddress(probe.address));
        free.push({ hold: probe.hold, wasForeign: probe.foreign !== undefined });
      } else {
        this.#rest(probe, nowMs);
      }
    }
    return { probes, free, unasked };
  }

  /** The link did not take the probes for these addresses. */
  unsent(addresses: readonly Address[]): void {
    for (const address of addresses) {
      const probe = this.#probes.get(formatAddress(address));
      if (probe !== undefined) probe.unsent++;
    }
  }

  /** After a whole round in which nobody was heard. What could not be asked changes nothing of what is known. */
  #isFree(probe: Probe): boolean {
    if (probe.foreign === undefined) return true;
    if (wasNotAsked(probe)) return false;
    probe.silentRounds++;
    return probe.silentRounds >= silentRoundsToFree;
  }

  #rest(probe: Probe, nowMs: number): void {
    Object.assign(probe, noRound);
    const { least, most } = probeAgainMs;
    this.#schedule.set(probe, nowMs + least + (most - least) * this.#random());
  }
}

const noRound = { probes: 0, unsent: 0 } as const;

const wasNotAsked = ({ unsent }: Probe): boolean => unsent >= probesPerRound;
