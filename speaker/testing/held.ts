import type { HeldHere } from '../l2-record.ts';
import type { Held } from '../orders.ts';

/** A node holds 198.51.100.1 on eth0 under the first term, unless it says otherwise. */
export const held = (what: Partial<Held> = {}): Held => ({
  kind: 'held',
  link: 'eth0',
  mac: '02:00:00:00:00:01',
  address: '198.51.100.1',
  term: 1,
  reason: 'Unclaimed',
  takeoverMs: 1,
  ...what,
});

/** The same, since noon of the first day of 2026. */
export const heldHere = (what: Partial<Held> = {}): HeldHere => ({
  since: new Date('2026-01-01T12:00:00Z'),
  fact: held(what),
});
