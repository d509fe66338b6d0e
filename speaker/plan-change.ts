import type { Candidate } from './core/rank.ts';
import type { Plan, PlannedAddress } from './plan.ts';

/** What is to be known of an address on the wire. */
export type Duty = Pick<PlannedAddress, 'candidates' | 'links' | 'quarantinedBy'> & {
  /** The other addresses of its Services; undefined: none. */
  readonly siblings?: readonly string[] | undefined;
};

/** What is different from the plan that was told before; nothing before counts where it is `whole`. */
export type PlanChange = {
  readonly whole: boolean;
  readonly put: ReadonlyMap<string, Duty>;
  readonly removed: readonly string[];
};

/** So that the change of one Service costs no more than one Service, however many there are. */
export function planChange(before: Plan | undefined, next: Plan): PlanChange {
  const was = before ?? new Map<string, PlannedAddress>();
  const [siblingsBefore, siblingsNow] = [siblingsOf(was), siblingsOf(next)];
  const put = new Map<string, Duty>();
  for (const [address, planned] of next) {
    const known = was.get(address);
    const siblings = siblingsNow.get(address);
    const same =
      known !== undefined &&
      isSame(known, planned) &&
      String(siblings) === String(siblingsBefore.get(address));
    if (same) continue;
    const { candidates, links, quarantinedBy } = planned;
    put.set(address, { candidates, links, siblings, ...(quarantinedBy && { quarantinedBy }) });
  }
  const removed = [...was.keys()].filter((address) => !next.has(address));
  return { whole: before === undefined, put, removed };
}

/** The next plan, with what it has in common with the one before; the one before where they do not differ. */
export function inCommon(before: Plan | undefined, next: Plan): Plan {
  if (before === undefined) return next;
  const plan = new Map<string, PlannedAddress>();
  let differs = before.size !== next.size;
  for (const [address, planned] of next) {
    const known = before.get(address);
    const same =
      known !== undefined &&
      isSame(known, planned) &&
      String(known.services) === String(planned.services);
    plan.set(address, same ? known : planned);
    if (!same) differs = true;
  }
  return differs ? plan : before;
}

const isSame = (a: PlannedAddress, b: PlannedAddress): boolean =>
  a === b ||
  (String(a.quarantinedBy) === String(b.quarantinedBy) &&
    a.links?.length === b.links?.length &&
    String(a.links) === String(b.links) &&
    isSameList(a.candidates, b.candidates));

const isSameList = (a: readonly Candidate[], b: readonly Candidate[]): boolean =>
  a === b ||
  (a.length === b.length &&
    a.every(({ node, score }, index) => b[index]?.node === node && b[index].score === score));

/** The other addresses of the same Services, of each address that has any. */
function siblingsOf(plan: Plan): ReadonlyMap<string, readonly string[]> {
  const first = new Map<string, string>();
  const several = new Map<string, string[]>();
  for (const [address, { services }] of plan) {
    for (const service of services) {
      const one = first.get(service);
      if (one === undefined) first.set(service, address);
      else several.set(service, [...(several.get(service) ?? [one]), address]);
    }
  }
  const siblings = new Map<string, readonly string[]>();
  if (several.size === 0) return siblings;
  for (const [address, { services }] of plan) {
    const others = services.flatMap((service) => several.get(service) ?? []);
    const distinct = [...new Set(others)].filter((one) => one !== address);
    if (distinct.length > 0) siblings.set(address, distinct);
  }
  return siblings;
}
