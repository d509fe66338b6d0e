import type { Endpoint, EndpointSlice } from './object.ts';

/** The endpoints that can take traffic: unknown counts as ready (EndpointConditions), and a terminating one may still serve. */
export const servingEndpoints = (slices: readonly EndpointSlice[]): readonly Endpoint[] =>
  slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false || conditions.serving === true);

/** The names of the nodes on which these run. */
export const nodesOf = (endpoints: readonly Endpoint[]): ReadonlySet<string> =>
  new Set(endpoints.flatMap(({ nodeName }) => (nodeName === undefined ? [] : [nodeName])));
