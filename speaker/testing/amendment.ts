import type { Amendment, Candidates, Event } from '../core/action.ts';

/** What a node that knows one plan is told so that it knows the next. */
export const amendmentOf = (before: Candidates, next: Candidates): Amendment => ({
  put: new Map([...next].filter(([address, all]) => before.get(address) !== all)),
  removed: [...before.keys()].filter((address) => !next.has(address)),
});

/** A plan as it is told: by what differs where a plan before is given, and whole otherwise, which comes to the same. */
export const planEvent = (
  before: Candidates | undefined,
  candidates: Candidates,
): Event & { readonly kind: 'plan' | 'amendment' } =>
  before === undefined
    ? { kind: 'plan', candidates }
    : { kind: 'amendment', ...amendmentOf(before, candidates) };
