/** What must always hold; the words of the numbered invariants in `docs/protocol.md`. */
export type Rule =
  | 'OneHolderAtRest'
  | 'NoTwoHolders'
  | 'NoNeedlessMove'
  | 'QuickTakeover'
  | 'NoGapInAMove'
  | 'WellFirst'
  | 'Spread'
  | 'FewMessages';

/** One moment at which something was wrong that must never be. */
export type Violation = { readonly atMs: number; readonly rule: Rule; readonly what: string };
