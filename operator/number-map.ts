const rowBits = 4;
const rowLength = 1 << rowBits;

type Row<V> = { readonly values: (V | undefined)[]; count: number };

/**
 * Values by 32-bit numbers, with neighbours side by side. Addresses are mostly given one after the other: in a plain Map,
 * which scatters them, each costs a wait for memory.
 */
export class NumberMap<V> {
  readonly #rows = new Map<number, Row<V>>();

  get(number: number): V | undefined {
    return this.#rows.get(number >>> rowBits)?.values[placeIn(number)];
  }

  set(number: number, value: V): void {
    let row = this.#rows.get(number >>> rowBits);
    if (row === undefined) {
      row = { values: [], count: 0 };
      this.#rows.set(number >>> rowBits, row);
    }
    if (row.values[placeIn(number)] === undefined) row.count++;
    row.values[placeIn(number)] = value;
  }

  delete(number: number): void {
    const row = this.#rows.get(number >>> rowBits);
    if (row?.values[placeIn(number)] === undefined) return;
    row.values[placeIn(number)] = undefined;
    row.count--;
    if (row.count === 0) this.#rows.delete(number >>> rowBits);
  }
}

const placeIn = (number: number): number => number & (rowLength - 1);
