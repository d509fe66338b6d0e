/** So many different values at a time: where nothing is alike, nothing is gained by remembering. */
const mostKnown = 1_000;

/** Equal values of many objects as one: the first of them stands for the others. For plain data without cycles. */
export class Shared<T> {
  readonly #known = new Map<string, T>();

  of(value: T): T {
    const key = JSON.stringify(value);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= mostKnown) this.#known.clear();
    this.#known.set(key, value);
    return value;
  }
}
