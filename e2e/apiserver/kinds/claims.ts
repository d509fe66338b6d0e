/** Things that only one object may have at a time, such as addresses and ports, by owner's uid. */
export class Claims {
  readonly #owners = new Map<string, string>();

  /** True when it is the owner's now; false when another has it. */
  take(thing: string, owner: string): boolean {
    const known = this.#owners.get(thing);
    if (known === undefined) this.#owners.set(thing, owner);
    return known === undefined || known === owner;
  }

  isTaken(thing: string): boolean {
    return this.#owners.has(thing);
  }

  isOwn(thing: string, owner: string): boolean {
    return this.#owners.get(thing) === owner;
  }

  /** Gives it back; what belongs to another stays his. */
  release(thing: string, owner: string): void {
    if (this.isOwn(thing, owner)) this.#owners.delete(thing);
  }
}
