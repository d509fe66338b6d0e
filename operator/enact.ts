import type { Decision } from './allocate.ts';
import type { Ledger } from './ledger.ts';
import { type Terms, termsOf } from './terms.ts';

/**
 * Carries a decision out on the ledger. What the Service moves away from stays its own until
 * `settle`; what it keeps, it keeps on the terms it has now.
 */
export function enact(decision: Decision, service: string, terms: Terms, ledger: Ledger): void {
  switch (decision.kind) {
    case 'assign': {
      const { addresses, pool, onNodes } = decision;
      ledger.hold(service, { addresses, pool, terms: termsOf(terms, onNodes) });
      return;
    }
    case 'release':
      ledger.hold(service, { addresses: [], pool: '', terms });
      return;
    case 'keep':
    case 'refuse': {
      if (ledger.holdingOf(service) === undefined) return;
      const shown = ledger.shownBy(service);
      const { addresses, pool } = shown ?? { addresses: [], pool: '' };
      ledger.hold(service, {
        addresses,
        pool: decision.kind === 'keep' ? decision.pool : pool,
        terms: termsOf(terms, shown?.terms.onNodes),
      });
    }
  }
}
