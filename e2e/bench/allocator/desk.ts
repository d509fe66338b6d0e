import type { Pool } from '../../../crds/pool.ts';
import { allocate, type Decision } from '../../../operator/allocate.ts';
import { enact } from '../../../operator/enact.ts';
import { Ledger } from '../../../operator/ledger.ts';
import type { NodeWorld } from '../../../operator/node-addresses.ts';
import type { Request } from '../../../operator/request.ts';
import { settingsTable } from '../../../operator/settings.ts';

type Labels = Readonly<Record<string, string>>;

/** As long as the operator lets an address rest when nobody says otherwise. */
const restMs = settingsTable.restSeconds.fallback * 1_000;

const nodeWorld: NodeWorld = { nodes: [], servingOf: () => new Set() };

/**
 * The allocator and its ledger, asked as the operator asks them when it serves a Service and when one is gone; without
 * the API server, the status and the log.
 */
export class Desk {
  readonly ledger = new Ledger(restMs);
  readonly #pools: readonly Pool[];
  nowMs = 0;

  constructor(pools: readonly Pool[]) {
    this.#pools = pools;
  }

  serve(request: Request, namespaceLabels: Labels = {}): Decision['kind'] {
    const { ledger, nowMs } = this;
    const { service, terms } = request;
    ledger.wake(nowMs);
    const world = {
      pools: this.#pools,
      namespaceLabels,
      ledger,
      nodeWorld,
      stayMs: () => 0,
    };
    const decision = allocate(request, world);
    enact(decision, service, terms, ledger);
    ledger.settle(service, nowMs);
    return decision.kind;
  }

  dismiss({ service }: Request): void {
    this.ledger.forget(service, this.nowMs);
  }
}
