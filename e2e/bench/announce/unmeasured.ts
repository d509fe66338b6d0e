/** What could not be measured on this machine, with why and what to do about it. */
export type Unmeasured = { readonly unmeasured: string };

export const isMeasured = <T extends object>(found: T | Unmeasured): found is T =>
  !('unmeasured' in found);
