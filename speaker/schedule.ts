type Entry<T> = { readonly item: T; readonly dueMs: number };

/**
 * What is due when, each item once: a binary heap. Setting, removing and taking cost the logarithm of the
 * number of items; an entry that was replaced or removed stays until it comes up, and is dropped then.
 */
export class Schedule<T> {
  readonly #due = new Map<T, Entry<T>>();
  #heap: Entry<T>[] = [];

  /** Puts an item at this time, wherever it was before. */
  set(item: T, dueMs: number): void {
    const entry = { item, dueMs };
    this.#due.set(item, entry);
    this.#push(entry);
    // Replacing without end must not grow without end.
    if (this.#heap.length > 64 && this.#heap.length > 2 * this.#due.size) this.#rebuild();
  }

  delete(item: T): void {
    this.#due.delete(item);
  }

  /** When the first is due; Infinity when nothing is. */
  nextMs(): number {
    return this.#first()?.dueMs ?? Infinity;
  }

  /** Takes out the first item that is due by now. */
  take(nowMs: number): T | undefined {
    const first = this.#first();
    if (first === undefined || first.dueMs > nowMs) return undefined;
    this.#pop();
    this.#due.delete(first.item);
    return first.item;
  }

  #first(): Entry<T> | undefined {
    for (;;) {
      const top = this.#heap[0];
      if (top === undefined || this.#due.get(top.item) === top) return top;
      this.#pop();
    }
  }

  #rebuild(): void {
    // A sorted list is a heap.
    this.#heap = [...this.#due.values()].toSorted((a, b) => a.dueMs - b.dueMs);
  }

  #push(entry: Entry<T>): void {
    let at = this.#heap.length;
    for (;;) {
      const above = (at - 1) >> 1;
      const parent = at === 0 ? undefined : this.#heap[above];
      if (parent === undefined || parent.dueMs <= entry.dueMs) break;
      this.#heap[at] = parent;
      at = above;
    }
    this.#heap[at] = entry;
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = this.#heap[2 * at + 1];
      const right = this.#heap[2 * at + 2];
      if (left === undefined) break;
      const [child, below] =
        right !== undefined && right.dueMs < left.dueMs ? [right, 2 * at + 2] : [left, 2 * at + 1];
      if (last.dueMs <= child.dueMs) break;
      this.#heap[at] = child;
      at = below;
    }
    this.#heap[at] = last;
  }
}
