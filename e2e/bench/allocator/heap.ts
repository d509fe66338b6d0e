import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Everything that nobody refers to is gone afterwards, and no earlier garbage is paid for later. */
export const collectGarbage: () => void = runInNewContext('gc');

/** How much more of the heap is in use while what `make` returns is there. */
export function heldBytes(make: () => object): number {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const made = make();
  collectGarbage();
  const bytes = process.memoryUsage().heapUsed - before;
  // Referred to until here, whatever the compiler thinks of it.
  return Reflect.isExtensible(made) ? bytes : Number.NaN;
}
