import type { Mac } from '../net/mac.ts';
import type { Action } from './core/action.ts';
import type { Outcome } from './guard.ts';
import type { Testimony } from './link-witness.ts';
import type { LinkFact } from './orders.ts';
import { Unannounced } from './unannounced.ts';

type Told = Exclude<Action | Outcome | Testimony, { readonly kind: 'send' | 'unanswered' }>;

/** Tells what has come of it all on one link, after the fact: of an address, when it has been announced. */
export class Telling {
  readonly #report: (fact: LinkFact) => void;
  readonly #unannounced = new Unannounced();

  constructor(report: (fact: LinkFact) => void) {
    this.#report = report;
  }

  /** What is to be held may be given up before anything was said of it, and is told in neither case. */
  decide(actions: readonly Action[], nowMs: number): void {
    for (const action of actions) if (action.kind === 'hold') this.#unannounced.add(action, nowMs);
  }

  tell(outcome: Told, nowMs: number): void {
    switch (outcome.kind) {
      case 'hold':
        this.#unannounced.add(outcome, nowMs);
        break;
      case 'yield':
        if (this.#unannounced.drop(outcome.address)) this.#report({ ...outcome, kind: 'yielded' });
        break;
      case 'foreign':
        this.#unannounced.tell(outcome.address);
        this.#report(outcome);
        break;
      case 'peer':
      case 'phase':
      case 'namesake':
      case 'cleared':
      case 'unasked':
      case 'witnessed':
        this.#report(outcome);
        break;
      case 'hush':
      case 'speak':
        break;
    }
  }

  /** The first announcements of these are out. */
  announced(addresses: readonly string[], mac: Mac, nowMs: number): void {
    for (const fact of this.#unannounced.take(addresses, nowMs)) this.#report({ ...fact, mac });
  }
}
