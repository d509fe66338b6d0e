import type { Candidates, Event } from '../core/action.ts';
import { type Health, worstOf } from '../core/health.ts';
import type { Segment } from '../core/segment.ts';

/** What is looked at: the machine itself, or the router that all have. */
export type Check = 'own' | 'router';

/** One simulated machine on one segment: its speaker's core, what can be done to it, and what it answers for. */
export class Machine {
  readonly name: string;
  readonly mac: string;
  /** Where datagrams reach it. */
  ip: string;
  segment: Segment | undefined;
  paused = false;
  /** Frames that wait while it stands still; later ones are lost. */
  waitsFor = Infinity;
  linkUp = true;
  /** Nodes hear those of the same side only. */
  side = 0;
  /** The virtual switch that it is attached to; what passes between two of them is the wire's matter. */
  virtualSwitch = 0;
  /** When it last came to hear others again. */
  reconnectedAtMs = -Infinity;
  hushed = false;
  /** What its checks say. */
  readonly checks = new Map<Check, Health>();
  /** When it last ceased to be sick. */
  sickUntilMs = -Infinity;
  sequence = 0n;
  planVersion = 0;
  /** The plan that it was told last in this life. */
  planned: Candidates | undefined;
  alarmAtMs = Infinity;
  waiting: Event[] = [];
  readonly holding = new Set<string>();
  #skew = { offsetMs: 0, rate: 1 };

  constructor(name: string, number: number) {
    const bytes = [number >> 8, number & 255];
    this.name = name;
    this.mac = `02:00:00:00:${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
    this.ip = `2001:db8::${number.toString(16)}`;
  }

  /** Its clock shows another time than ours, and runs at another speed. To be called before it starts. */
  skew(offsetMs: number, rate: number): void {
    this.#skew = { offsetMs, rate };
  }

  get isSkewed(): boolean {
    return this.#skew.rate !== 1 || this.#skew.offsetMs !== 0;
  }

  localMs(globalMs: number): number {
    return globalMs * this.#skew.rate + this.#skew.offsetMs;
  }

  globalMs(localMs: number): number {
    return (localMs - this.#skew.offsetMs) / this.#skew.rate;
  }

  get health(): Health {
    return worstOf(this.checks.values());
  }

  /** Whether it would answer a question about an address that it holds. */
  get isAnswering(): boolean {
    return this.segment !== undefined && !this.paused && !this.hushed && this.linkUp;
  }
}
