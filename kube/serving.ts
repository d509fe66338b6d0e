import type { Endpoint, EndpointSlice } from './object.ts';

/** Unknown counts as ready (EndpointConditions). */
const isReady = ({ conditions }: Endpoint): boolean => conditions?.ready !== false;

/** The endpoints that can take traffic: a terminating one may still serve. */
export const servingEndpoints = (slices: readonly EndpointSlice[]): readonly Endpoint[] =>
  slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter((endpoint) => isReady(endpoint) || endpoint.conditions?.serving === true);

/** Those that are there to stay. */
export const readyAmong = (endpoints: readonly Endpoint[]): readonly Endpoint[] =>
  endpoints.filter(isReady);

/** The names of the nodes on which these run. */
export const nodesOf = (endpoints: readonly Endpoint[]): ReadonlySet<string> =>
  new Set(endpoints.flatMap(({ nodeName }) => (nodeName === undefined ? [] : [nodeName])));
