/** Simulated time: what is planned runs in order of time, then of planning. */
export class Timeline {
  #nowMs = 0;
  #order = 0;
  readonly #heap: { atMs: number; order: number; run: () => void }[] = [];

  #stopped = false;

  get nowMs(): number {
    return this.#nowMs;
  }

  at(atMs: number, run: () => void): void {
    const entry = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, run };
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !before(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  in(ms: number, run: () => void): void {
    this.at(this.#nowMs + ms, run);
  }

  /** Nothing more happens. */
  stop(): void {
    this.#stopped = true;
  }

  runUntil(endMs: number): void {
    for (
      let first = this.#heap[0];
      !this.#stopped && first !== undefined && first.atMs <= endMs;
      first = this.#heap[0]
    ) {
      this.#nowMs = first.atMs;
      this.#removeFirst();
      first.run();
    }
    this.#nowMs = endMs;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const [a, b] = [heap[left], heap[left + 1]];
      if (a === undefined) break;
      const useRight = b !== undefined && before(b, a);
      const child = useRight ? b : a;
      if (!before(child, last)) break;
      heap[index] = child;
      index = useRight ? left + 1 : left;
    }
    heap[index] = last;
  }
}

const before = (a: { atMs: number; order: number }, b: { atMs: number; order: number }): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
