import type { Decision } from './allocate.ts';
import type { Ledger } from './ledger.ts';
import { type Terms, termsOf } from './terms.ts';

/**
 * Carries a decision out on the ledger. What the Service moves away from stays its own until
 * `settle`; what it keeps, it keeps on the terms it has now, unless these wrong another holder.
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
      const held = ledger.holdingOf(service);
      if (held === undefined) return;
      const pool = decision.kind === 'keep' ? decision.pool : held.pool;
      const now = termsOf(terms, held.terms.onNodes);
      const wrongs = held.addresses.some(
        (address) => ledger.obstacle(address, { service, terms: now }) !== undefined,
      );
      if (!wrongs) ledger.hold(service, { addresses: held.addresses, pool, terms: now });
    }
  }
}
