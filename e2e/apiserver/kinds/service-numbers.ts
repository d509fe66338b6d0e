import { type Family, formatAddress, parseAddress } from '../../../net/address.ts';
import { prefixRange, type Range, rangeContains } from '../../../net/range.ts';
import { asText, isObject, type JsonObject, listAt, textAt } from '../json.ts';
import { Claims } from './claims.ts';

const network = (text: string, length: number): Range => {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return prefixRange(address, length);
};

/** The cluster's Service networks. */
const networks: Readonly<Record<Family, Range>> = {
  IPv4: network('10.96.0.0', 16),
  IPv6: network('fd00:10:96::', 112),
};
export const nodePorts = { first: 30_000, last: 32_767 } as const;

/** Everything a Service holds that no other may: cluster addresses and node ports. */
function holdings(service: JsonObject | undefined): readonly string[] {
  const addresses = listAt(service, 'spec', 'clusterIPs').filter((item) => item !== 'None');
  const ports = listAt(service, 'spec', 'ports')
    .filter(isObject)
    .map((port) => port['nodePort']);
  const health = isObject(service?.['spec']) ? service['spec']['healthCheckNodePort'] : undefined;
  return [...addresses, ...ports, health].filter((item) => item !== undefined).map(asText);
}

const uidOf = (service: JsonObject): string => textAt(service, 'metadata', 'uid');

/** Hands out cluster addresses and node ports, each to one Service at a time. */
export class ServiceNumbers {
  readonly #claims = new Claims();
  // The first addresses are the API server's and the DNS's by custom.
  readonly #next: Record<Family, bigint> = {
    IPv4: networks.IPv4.first + 16n,
    IPv6: networks.IPv6.first + 16n,
  };
  #nextPort: number = nodePorts.first;

  freshAddress(family: Family, service: JsonObject): string {
    const { first, last } = networks[family];
    for (let tries = first; tries < last; tries += 1n) {
      const value = this.#next[family];
      this.#next[family] = value + 1n < last ? value + 1n : first + 1n;
      const text = formatAddress({ family, value });
      if (!this.#claims.isTaken(text)) {
        this.#claims.take(text, uidOf(service));
        return text;
      }
    }
    throw new Error(`every ${family} address for Services is taken`);
  }

  freshPort(service: JsonObject): number {
    for (let port = nodePorts.first; port <= nodePorts.last; port++) {
      const candidate = this.#nextPort;
      this.#nextPort = candidate < nodePorts.last ? candidate + 1 : nodePorts.first;
      if (!this.#claims.isTaken(String(candidate))) {
        this.#claims.take(String(candidate), uidOf(service));
        return candidate;
      }
    }
    throw new Error('every node port is taken');
  }

  /** Claims all that the Service names; what another has stays his and is found by `foreign`. */
  claim(service: JsonObject): void {
    for (const thing of holdings(service)) this.#claims.take(thing, uidOf(service));
  }

  /** What the Service names and another has. */
  foreign(service: JsonObject): readonly string[] {
    return holdings(service).filter((thing) => !this.#claims.isOwn(thing, uidOf(service)));
  }

  /** Gives back what `service` has and `keeper` does not. */
  release(service: JsonObject, keeper: JsonObject | undefined): void {
    const kept = new Set(holdings(keeper));
    for (const thing of holdings(service)) {
      if (!kept.has(thing)) this.#claims.release(thing, uidOf(service));
    }
  }
}

/** Whether the text is an address of a Service network. */
export function isServiceAddress(text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && rangeContains(networks[address.family], address);
}
