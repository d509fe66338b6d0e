import type { Neighbourhood } from './evade.ts';
import type { Surroundings } from './node-addresses.ts';

/** What a request is decided against. */
export type World = Surroundings &
  Neighbourhood & {
    /** Labels of the Service's namespace; undefined while the namespace has not been seen. */
    readonly namespaceLabels: Readonly<Record<string, string>> | undefined;
  };
