/** One address as the client sees it. */
export type Sight = {
  readonly service: string;
  readonly address: string;
  /** The name of the node; undefined until the first answer, `nobody` where a question had none. */
  readonly holder: string | undefined;
  readonly mac: string;
  readonly since: Date | undefined;
};

/** What came of one question: who answered, and when that was seen. */
export type Seen = { readonly holder: string; readonly mac: string; readonly at: Date };

type Followed = Sight & { askedAtMs: number; isAsked: boolean };

export const nobody = 'nobody';

/** How long an address is left alone after an answer. */
const restMs = 250;

/** Who was seen to hold which address, and which is to be asked for next. */
export class Sightings {
  readonly #followed = new Map<string, Followed>();
  readonly #moves: string[] = [];

  get sights(): readonly Sight[] {
    return [...this.#followed.values()];
  }

  /** A line for every change, the oldest first. */
  get moves(): readonly string[] {
    return this.#moves;
  }

  /** Takes over which addresses there are now, with the Service of each; answers a line for each that is gone. */
  follow(assigned: ReadonlyMap<string, string>, at: Date): string[] {
    for (const [address, service] of assigned) {
      const followed = this.#followed.get(address);
      if (followed?.service === service) continue;
      const unseen = { holder: undefined, mac: '', since: undefined };
      const asked = { askedAtMs: Number.NEGATIVE_INFINITY, isAsked: followed?.isAsked ?? false };
      this.#followed.set(address, { service, address, ...unseen, ...asked });
    }
    const gone = [...this.#followed.values()].filter(({ address }) => !assigned.has(address));
    return gone.map(({ address, ...sight }) => {
      this.#followed.delete(address);
      return this.#tell(at, { address, ...sight }, 'no longer assigned');
    });
  }

  /** The address that was asked for longest ago, and is not being asked for; undefined while all of them rest. */
  next(nowMs: number): string | undefined {
    const due = [...this.#followed.values()].filter(
      ({ askedAtMs, isAsked }) => !isAsked && nowMs - askedAtMs >= restMs,
    );
    const [first] = due.toSorted((a, b) => a.askedAtMs - b.askedAtMs);
    if (first === undefined) return undefined;
    first.isAsked = true;
    return first.address;
  }

  /** Notes what came of a question; answers a line when the holder has changed. */
  note(address: string, { holder, mac, at }: Seen, nowMs: number): string | undefined {
    const followed = this.#followed.get(address);
    if (followed === undefined) return undefined;
    const changed = followed.holder !== holder;
    const since = changed ? at : followed.since;
    this.#followed.set(address, {
      ...followed,
      holder,
      mac,
      since,
      askedAtMs: nowMs,
      isAsked: false,
    });
    return changed ? this.#tell(at, followed, holder) : undefined;
  }

  #tell(at: Date, { address, service, holder }: Sight, now: string): string {
    const from = holder === undefined ? '' : `${holder} → `;
    const move = `${timeOf(at)}  ${address} (${service})  ${from}${now}`;
    this.#moves.push(move);
    return move;
  }
}

export const timeOf = (at: Date): string => at.toTimeString().slice(0, 8);
