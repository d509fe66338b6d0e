/** A binary heap: the least item by `compare` is always at the top. */
export class Heap<T> {
  readonly #compare: (a: T, b: T) => number;
  readonly #items: T[] = [];

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get top(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    let index = items.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = items[parent];
      if (above === undefined || this.#compare(above, item) <= 0) break;
      items[index] = above;
      index = parent;
    }
    items[index] = item;
  }

  pop(): T | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return top;
    let index = 0;
    for (;;) {
      const child = this.#lesserChild(index);
      const below = items[child];
      if (below === undefined || this.#compare(last, below) <= 0) break;
      items[index] = below;
      index = child;
    }
    items[index] = last;
    return top;
  }

  /** Takes items off the top as long as they are not wanted there. */
  dropWhile(unwanted: (top: T) => boolean): void {
    for (let top = this.top; top !== undefined && unwanted(top); top = this.top) this.pop();
  }

  #lesserChild(index: number): number {
    const left = this.#items[2 * index + 1];
    const right = this.#items[2 * index + 2];
    if (left === undefined || right === undefined) return 2 * index + 1;
    return this.#compare(left, right) <= 0 ? 2 * index + 1 : 2 * index + 2;
  }
}
