import type { Pool, Sighting } from '../../crds/pool.ts';
import type { Problem } from '../../crds/problem.ts';
import { placeModel } from '../ground.ts';
import { Town } from './town.ts';

/** A world whose nodes see machines that are not ours. */
export class Street extends Town {
  readonly #pools: readonly Pool[];

  constructor(pools: readonly Pool[], ...seen: readonly Sighting[]) {
    super(pools);
    this.#pools = pools;
    this.see(...seen);
  }

  /** From now on this is what is seen, and nothing else; answers what is wrong with the pools. */
  see(...foreign: readonly Sighting[]): readonly Problem[] {
    const model = { pools: this.#pools, advertisements: [], problems: [] };
    const ground = { occupied: [], foreign, reach: undefined, namespace: 'metallb-system' };
    const { pools, problems } = placeModel(model, ground);
    this.pools = pools;
    return problems;
  }
}
