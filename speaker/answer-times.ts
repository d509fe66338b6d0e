/** Upper bounds in seconds: the kernel itself answers in some 20 µs, and an asker waits for a second. */
export const answerBounds = [
  0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 1,
] as const;

/** How many answers took up to each of the bounds, the last one counting the rest, and how long all of them took. */
export type AnswerTimeCounts = { readonly counts: readonly number[]; readonly sumSeconds: number };

/**
 * How long questions waited for their answers, from when the wire thread woke to when the kernel had taken the answer.
 * All that were answered in one turn count as long as the last of them: a look at the clock for each would cost more than
 * it tells.
 */
export class AnswerTimes {
  readonly #counts = new Float64Array(answerBounds.length + 1);
  #sumSeconds = 0;

  note(answers: number, ms: number): void {
    const seconds = ms / 1000;
    const place = answerBounds.findIndex((bound) => seconds <= bound);
    const index = place < 0 ? answerBounds.length : place;
    this.#counts[index] = (this.#counts[index] ?? 0) + answers;
    this.#sumSeconds += answers * seconds;
  }

  counts(): AnswerTimeCounts {
    return { counts: [...this.#counts], sumSeconds: this.#sumSeconds };
  }
}
