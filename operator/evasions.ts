/**
 * How often a Service goes out of the way of other machines, and in which time. Where a third of a pool were taken,
 * one Service in eighty would meet a fourth taken address after three moves; and whoever reports what is not there
 * (a speaker that is wrong, or not ours) sends nobody round in circles.
 */
export const mostEvasions = 3;
export const evasionMinutes = 10;

/** As long as a move counts, the address that was left is nobody's first choice: who has left it asks no more who has it. */
export const evasionMs = evasionMinutes * 60_000;

/** When Services have gone out of the way of other machines. */
export class Evasions {
  readonly #times = new Map<string, readonly number[]>();

  note(service: string, nowMs: number): void {
    this.#times.set(service, [...this.#recent(service, nowMs), nowMs]);
  }

  forget(service: string): void {
    this.#times.delete(service);
  }

  /** How long the Service stays where it is; 0: it may move. */
  waitMs(service: string, nowMs: number): number {
    const recent = this.#recent(service, nowMs);
    const [first = nowMs] = recent;
    return recent.length < mostEvasions ? 0 : first + evasionMs - nowMs;
  }

  #recent(service: string, nowMs: number): readonly number[] {
    const times = this.#times.get(service) ?? [];
    return times.filter((atMs) => nowMs - atMs < evasionMs);
  }
}
