import type { EndpointSlice } from '../kube/object.ts';
import { nodesOf, servingEndpoints } from '../kube/serving.ts';

type Served = {
  readonly slices: Map<string, EndpointSlice>;
  nodes: ReadonlySet<string>;
};

const nobody: ReadonlySet<string> = new Set();

/** On which nodes the endpoints of each Service serve. */
export class ServingNodes {
  readonly #services = new Map<string, Served>();
  /** The Service of each slice. */
  readonly #owners = new Map<string, string>();

  /** By the Service's `namespace/name`. */
  of(service: string): ReadonlySet<string> {
    return this.#services.get(service)?.nodes ?? nobody;
  }

  /** Takes note of a slice as it is now. Answers with the Services that are served by other nodes than before. */
  take(key: string, slice: EndpointSlice | undefined): readonly string[] {
    const before = this.#owners.get(key);
    const now = slice === undefined ? undefined : ownerOf(slice);
    const concerned = [...new Set([before, now])].filter((service) => service !== undefined);
    if (now === undefined) this.#owners.delete(key);
    else this.#owners.set(key, now);
    return concerned.filter((service) =>
      this.#put(service, key, service === now ? slice : undefined),
    );
  }

  #put(service: string, key: string, slice: EndpointSlice | undefined): boolean {
    const served = this.#services.get(service) ?? { slices: new Map(), nodes: nobody };
    if (slice === undefined) served.slices.delete(key);
    else served.slices.set(key, slice);
    const { nodes: before } = served;
    served.nodes = nodesOf(servingEndpoints([...served.slices.values()]));
    if (served.slices.size === 0) this.#services.delete(service);
    else this.#services.set(service, served);
    return served.nodes.symmetricDifference(before).size > 0;
  }
}

function ownerOf({ metadata }: EndpointSlice): string | undefined {
  const name = metadata.labels?.['kubernetes.io/service-name'];
  return name === undefined ? undefined : `${metadata.namespace ?? ''}/${name}`;
}
