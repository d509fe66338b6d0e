import { isIP } from 'node:net';
import {
  duplicateValue,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../field-fault.ts';
import {
  asText,
  isObject,
  type Json,
  type JsonObject,
  listAt,
  objectAt,
  same,
  textAt,
} from '../json.ts';
import type { Cause } from '../field-fault.ts';
import { parseAddress } from '../../../net/address.ts';
import { keyFaults } from '../names.ts';
import { hasFormat } from '../schema/formats.ts';
import { hasClusterAddress, isBalanced, isExternal } from './service-defaults.ts';
import { isServiceAddress, nodePorts } from './service-numbers.ts';

const choices: Readonly<Record<string, readonly string[]>> = {
  type: ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'],
  sessionAffinity: ['ClientIP', 'None'],
  internalTrafficPolicy: ['Cluster', 'Local'],
  externalTrafficPolicy: ['Cluster', 'Local'],
  ipFamilyPolicy: ['PreferDualStack', 'RequireDualStack', 'SingleStack'],
};
const protocols = ['SCTP', 'TCP', 'UDP'];
const portName = /^(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/;

/** What is wrong with a Service, in itself and as a change of what it was. */
export function serviceFaults(draft: JsonObject, before: JsonObject | undefined): Cause[] {
  const spec = objectAt(draft, 'spec');
  const type = textAt(spec, 'type');
  const faults: Cause[] = [];
  for (const [key, known] of Object.entries(choices)) {
    const value = spec[key];
    if (value !== undefined && !known.includes(asText(value))) {
      faults.push(unsupportedValue(`spec.${key}`, value, known));
    }
  }
  faults.push(...portFaults(spec), ...addressFaults(spec));
  if (type === 'ExternalName' && textAt(spec, 'externalName') === '') {
    faults.push(requiredValue('spec.externalName'));
  }
  const { loadBalancerClass } = spec;
  if (isBalanced(type) && loadBalancerClass !== undefined) {
    faults.push(...keyFaults('spec.loadBalancerClass', asText(loadBalancerClass)));
  }
  if (isBalanced(type) && spec['clusterIP'] === 'None') {
    const why = "may not be set to 'None' for LoadBalancer services";
    faults.push(invalidValue('spec.clusterIPs[0]', 'None', why));
  }
  if (!isBalanced(type)) {
    for (const key of ['loadBalancerClass', 'allocateLoadBalancerNodePorts']) {
      if (spec[key] !== undefined) {
        faults.push(
          forbiddenValue(`spec.${key}`, "may only be used when `type` is 'LoadBalancer'"),
        );
      }
    }
  }
  if (
    !isExternal(type) &&
    spec['externalTrafficPolicy'] !== undefined &&
    listAt(spec, 'externalIPs').length === 0
  ) {
    faults.push(
      invalidValue(
        'spec.externalTrafficPolicy',
        spec['externalTrafficPolicy'],
        'may only be set for externally-accessible services',
      ),
    );
  }
  if (before !== undefined) faults.push(...changeFaults(spec, objectAt(before, 'spec')));
  return faults;
}

function portFaults(spec: JsonObject): Cause[] {
  const type = textAt(spec, 'type');
  const ports = listAt(spec, 'ports').filter(isObject);
  const headless = spec['clusterIP'] === 'None';
  const faults: Cause[] = [];
  if (ports.length === 0 && !headless && hasClusterAddress(type))
    faults.push(requiredValue('spec.ports'));
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    const path = `spec.ports[${index}]`;
    const name = textAt(port, 'name');
    if (name === '' && ports.length > 1) faults.push(requiredValue(`${path}.name`));
    if (name !== '' && (name.length > 63 || !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name))) {
      faults.push(
        invalidValue(
          `${path}.name`,
          name,
          "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
        ),
      );
    }
    if (name !== '' && names.has(name)) faults.push(duplicateValue(`${path}.name`, name));
    names.add(name);
    if (!isPort(port['port'])) {
      faults.push(
        invalidValue(`${path}.port`, port['port'] ?? 0, 'must be between 1 and 65535, inclusive'),
      );
    }
    const protocol = textAt(port, 'protocol');
    if (!protocols.includes(protocol))
      faults.push(unsupportedValue(`${path}.protocol`, protocol, protocols));
    faults.push(...targetFaults(port['targetPort'], `${path}.targetPort`));
    faults.push(...nodePortFaults(port['nodePort'], { type, path: `${path}.nodePort` }));
  }
  return faults;
}

const isPort = (value: Json | undefined): boolean =>
  typeof value === 'number' && value >= 1 && value <= 65_535;

function targetFaults(target: Json | undefined, path: string): Cause[] {
  if (typeof target === 'string') {
    return target.length <= 15 && portName.test(target)
      ? []
      : [
          invalidValue(
            path,
            target,
            'must be a port number or a name of at most 15 lower case letters, digits and single dashes',
          ),
        ];
  }
  return isPort(target)
    ? []
    : [invalidValue(path, target ?? 0, 'must be between 1 and 65535, inclusive')];
}

function nodePortFaults(
  port: Json | undefined,
  { type, path }: { type: string; path: string },
): Cause[] {
  if (port === undefined) return [];
  if (!isExternal(type))
    return [forbiddenValue(path, `may not be used when \`type\` is '${type}'`)];
  const { first, last } = nodePorts;
  if (typeof port === 'number' && port >= first && port <= last) return [];
  return [
    invalidValue(
      path,
      port,
      `provided port is not in the valid range. The range of valid ports is ${first}-${last}`,
    ),
  ];
}

const mustBeAddress = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';

function addressFaults(spec: JsonObject): Cause[] {
  const faults: Cause[] = [];
  for (const [index, item] of listAt(spec, 'clusterIPs').entries()) {
    const text = asText(item);
    if (text === 'None' || isServiceAddress(text)) continue;
    const why =
      isIP(text) === 0
        ? mustBeAddress
        : `failed to allocate IP ${text}: the provided IP is not in the valid range`;
    faults.push(invalidValue(`spec.clusterIPs[${index}]`, text, why));
  }
  for (const [index, item] of listAt(spec, 'externalIPs').entries()) {
    if (isIP(asText(item)) === 0)
      faults.push(invalidValue(`spec.externalIPs[${index}]`, item, mustBeAddress));
  }
  for (const [index, item] of listAt(spec, 'loadBalancerSourceRanges').entries()) {
    if (!hasFormat(asText(item).trim(), 'cidr')) {
      faults.push(
        invalidValue(
          `spec.loadBalancerSourceRanges[${index}]`,
          item,
          'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
        ),
      );
    }
  }
  const families = listAt(spec, 'ipFamilies');
  for (const [index, family] of families.entries()) {
    if (family !== 'IPv4' && family !== 'IPv6') {
      faults.push(unsupportedValue(`spec.ipFamilies[${index}]`, family, ['IPv4', 'IPv6']));
    }
  }
  if (families.length > 1 && spec['ipFamilyPolicy'] === 'SingleStack') {
    faults.push(
      invalidValue(
        'spec.ipFamilyPolicy',
        'SingleStack',
        "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
      ),
    );
  }
  return faults;
}

/** A cluster address stays, so its family does. */
function familyFaults(spec: JsonObject): Cause[] {
  const families = listAt(spec, 'ipFamilies');
  return listAt(spec, 'clusterIPs').flatMap((address, index) => {
    const family = parseAddress(asText(address))?.family;
    if (family === undefined || families[index] === family) return [];
    const why = `expected an ${asText(families[index])} value as indicated by \`ipFamilies[${index}]\``;
    return [invalidValue(`spec.clusterIPs[${index}]`, address, why)];
  });
}

function changeFaults(spec: JsonObject, before: JsonObject): Cause[] {
  const faults: Cause[] = [];
  const keepsAddress =
    hasClusterAddress(textAt(spec, 'type')) && hasClusterAddress(textAt(before, 'type'));
  const address = listAt(spec, 'clusterIPs')[0];
  const earlier = listAt(before, 'clusterIPs')[0];
  if (keepsAddress && earlier !== undefined && address !== earlier) {
    faults.push(
      invalidValue('spec.clusterIPs[0]', listAt(spec, 'clusterIPs'), 'may not change once set'),
    );
  }
  faults.push(...familyFaults(spec));
  const stays = isBalanced(textAt(spec, 'type')) && isBalanced(textAt(before, 'type'));
  if (stays && !same(spec['loadBalancerClass'], before['loadBalancerClass'])) {
    faults.push(
      invalidValue('spec.loadBalancerClass', spec['loadBalancerClass'], 'may not change once set'),
    );
  }
  return faults;
}

/** What is wrong with a status that a load balancer writes. */
export function serviceStatusFaults(draft: JsonObject): Cause[] {
  const ingress = listAt(draft, 'status', 'loadBalancer', 'ingress');
  const path = 'status.loadBalancer.ingress';
  if (ingress.length > 0 && !isBalanced(textAt(draft, 'spec', 'type'))) {
    return [forbiddenValue(path, 'may only be used when `spec.type` is "LoadBalancer"')];
  }
  return ingress.flatMap((place, index) => {
    const ip = textAt(place, 'ip');
    const mode = textAt(place, 'ipMode');
    const hostname = textAt(place, 'hostname');
    const faults: Cause[] = [];
    if (ip !== '' && isIP(ip) === 0)
      faults.push(invalidValue(`${path}[${index}].ip`, ip, mustBeAddress));
    if (ip === '' && mode !== '') {
      faults.push(
        forbiddenValue(`${path}[${index}].ipMode`, 'may not be specified when `ip` is not set'),
      );
    }
    if (ip !== '' && mode !== 'VIP' && mode !== 'Proxy') {
      faults.push(unsupportedValue(`${path}[${index}].ipMode`, mode, ['Proxy', 'VIP']));
    }
    if (hostname !== '' && isIP(hostname) !== 0) {
      faults.push(
        invalidValue(
          `${path}[${index}].hostname`,
          hostname,
          'must be a DNS name, not an IP address',
        ),
      );
    }
    return faults;
  });
}
