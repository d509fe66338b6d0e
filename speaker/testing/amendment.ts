import type { Amendment, Candidates } from '../core/action.ts';

/** What a node that knows one plan is told so that it knows the next. */
export const amendmentOf = (before: Candidates, next: Candidates): Amendment => ({
  put: new Map([...next].filter(([address, all]) => before.get(address) !== all)),
  removed: [...before.keys()].filter((address) => !next.has(address)),
});
