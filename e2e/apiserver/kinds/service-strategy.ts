import { invalidValue } from '../field-fault.ts';
import { isObject, type Json, type JsonObject, listAt, objectAt, textAt } from '../json.ts';
import type { Strategy } from '../resource.ts';
import {
  dropOfOldType,
  fillService,
  hasClusterAddress,
  isBalanced,
  isExternal,
  keepAllocated,
  wantsHealthPort,
} from './service-defaults.ts';
import { alignClusterAddresses, decideFamilies, dropSecondFamily } from './service-families.ts';
import { serviceFaults, serviceStatusFaults } from './service-faults.ts';
import { ServiceNumbers } from './service-numbers.ts';

/** What the server does about Services: defaults, cluster addresses, node ports, checks. */
export function serviceStrategy(): Omit<Strategy, 'nameFault'> {
  const numbers = new ServiceNumbers();
  return {
    defaults: fillService,
    prepare: (draft, before) => {
      const spec = objectAt(draft, 'spec');
      if (before === undefined) {
        draft['status'] = { loadBalancer: {} };
      } else {
        const earlier = objectAt(before, 'spec');
        keepAllocated(spec, earlier);
        dropOfOldType(spec, earlier);
        dropSecondFamily(spec, earlier);
        if (!isBalanced(textAt(spec, 'type'))) {
          draft['status'] = { ...objectAt(draft, 'status'), loadBalancer: {} };
        }
      }
      alignClusterAddresses(spec, before === undefined ? undefined : objectAt(before, 'spec'));
      numbers.claim(draft);
      giveAddresses(draft, numbers);
      givePorts(draft, numbers);
    },
    validate: (draft, before) => [
      ...serviceFaults(draft, before),
      ...numbers.foreign(draft).map((thing) => {
        const isAddress = /[.:]/.test(thing);
        return invalidValue(
          isAddress ? 'spec.clusterIPs' : 'spec.ports[0].nodePort',
          isAddress ? [thing] : Number(thing),
          isAddress
            ? `failed to allocate IP ${thing}: provided IP is already allocated`
            : 'provided port is already allocated',
        );
      }),
    ],
    prepareStatus: fillService,
    validateStatus: serviceStatusFaults,
    stored: (service, before) => {
      numbers.claim(service);
      if (before !== undefined) numbers.release(before, service);
    },
    discard: (draft, before) => numbers.release(draft, before),
    removed: (service) => numbers.release(service, undefined),
  };
}

function giveAddresses(draft: JsonObject, numbers: ServiceNumbers): void {
  const spec = objectAt(draft, 'spec');
  if (!hasClusterAddress(textAt(spec, 'type'))) return;
  const families = decideFamilies(spec);
  const isKnown = (family: Json): boolean => family === 'IPv4' || family === 'IPv6';
  // Unknown ones stay as they are written: they are refused by name.
  if (listAt(spec, 'ipFamilies').every(isKnown)) spec['ipFamilies'] = [...families];
  if (spec['clusterIP'] === 'None') return;
  const given = listAt(spec, 'clusterIPs');
  const addresses = families.map(
    (family, index) => given[index] ?? numbers.freshAddress(family, draft),
  );
  const [first] = addresses;
  spec['clusterIPs'] = addresses;
  if (first !== undefined) spec['clusterIP'] = first;
}

function givePorts(draft: JsonObject, numbers: ServiceNumbers): void {
  const spec = objectAt(draft, 'spec');
  const type = textAt(spec, 'type');
  const ports = listAt(spec, 'ports').filter(isObject);
  const wanted =
    isExternal(type) && !(isBalanced(type) && spec['allocateLoadBalancerNodePorts'] === false);
  if (wanted) {
    for (const port of ports) {
      if (port['nodePort'] !== undefined) continue;
      // TCP and UDP of one port number share one node port.
      const twin = ports.find(
        (item) => item !== port && item['port'] === port['port'] && item['nodePort'] !== undefined,
      );
      port['nodePort'] = twin?.['nodePort'] ?? numbers.freshPort(draft);
    }
  }
  if (wantsHealthPort(spec)) spec['healthCheckNodePort'] ??= numbers.freshPort(draft);
}
