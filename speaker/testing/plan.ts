import type { Plan } from '../plan.ts';

/** A plan that says only which Services have which addresses. */
export const planOf = (addresses: Readonly<Record<string, readonly string[]>>): Plan =>
  new Map(
    Object.entries(addresses).map(([address, services]) => [
      address,
      { services, candidates: [], links: undefined },
    ]),
  );
