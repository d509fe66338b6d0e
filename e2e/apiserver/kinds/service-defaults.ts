import {
  ensureObject,
  isObject,
  type JsonObject,
  listAt,
  objectAt,
  same,
  textAt,
} from '../json.ts';

export const isBalanced = (type: string): boolean => type === 'LoadBalancer';
/** Types that are reached from outside, through ports of the nodes. */
export const isExternal = (type: string): boolean => type === 'NodePort' || isBalanced(type);
export const hasClusterAddress = (type: string): boolean => type !== 'ExternalName';

/** Session affinity lasts three hours unless told otherwise. */
const affinitySeconds = 10_800;

/** What an author may leave out, whatever was there before. */
export function fillService(draft: JsonObject): void {
  const spec = ensureObject(draft, 'spec');
  const type = textAt(spec, 'type') || 'ClusterIP';
  spec['type'] = type;
  spec['sessionAffinity'] ??= 'None';
  if (spec['sessionAffinity'] === 'None') delete spec['sessionAffinityConfig'];
  if (spec['sessionAffinity'] === 'ClientIP') {
    ensureObject(ensureObject(spec, 'sessionAffinityConfig'), 'clientIP')['timeoutSeconds'] ??=
      affinitySeconds;
  }
  for (const port of listAt(spec, 'ports').filter(isObject)) {
    if (port['targetPort'] === undefined || port['targetPort'] === 0 || port['targetPort'] === '') {
      port['targetPort'] = port['port'] ?? 0;
    }
    if (port['nodePort'] === 0) delete port['nodePort'];
  }
  if (hasClusterAddress(type)) spec['internalTrafficPolicy'] ??= 'Cluster';
  if (isExternal(type)) spec['externalTrafficPolicy'] ??= 'Cluster';
  if (isBalanced(type)) spec['allocateLoadBalancerNodePorts'] ??= true;
  for (const key of ['clusterIP', 'loadBalancerIP', 'externalName', 'externalTrafficPolicy']) {
    if (spec[key] === '') delete spec[key];
  }
  if (isBalanced(type)) fillIngress(draft);
}

function fillIngress(draft: JsonObject): void {
  for (const place of listAt(draft, 'status', 'loadBalancer', 'ingress').filter(isObject)) {
    if (textAt(place, 'ip') !== '') place['ipMode'] ??= 'VIP';
  }
}

/** What the server gave earlier stays when an update does not mention it. */
export function keepAllocated(spec: JsonObject, before: JsonObject): void {
  const type = textAt(spec, 'type');
  const earlier = textAt(before, 'type');
  if (hasClusterAddress(type) && hasClusterAddress(earlier)) {
    for (const key of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) {
      const kept = before[key];
      if (kept !== undefined) spec[key] ??= kept;
    }
  }
  if (isExternal(type) && isExternal(earlier)) {
    const old = listAt(before, 'ports').filter(isObject);
    for (const port of listAt(spec, 'ports').filter(isObject)) {
      const twin = old.find(
        (item) => item['port'] === port['port'] && item['protocol'] === port['protocol'],
      );
      const kept = twin?.['nodePort'];
      const isUsed = listAt(spec, 'ports').some((item) => objectAt(item)['nodePort'] === kept);
      if (kept !== undefined && !isUsed) port['nodePort'] ??= kept;
    }
  }
  if (wantsHealthPort(spec) && wantsHealthPort(before)) {
    const kept = before['healthCheckNodePort'];
    if (kept !== undefined) spec['healthCheckNodePort'] ??= kept;
  }
}

export const wantsHealthPort = (spec: JsonObject): boolean =>
  isBalanced(textAt(spec, 'type')) && spec['externalTrafficPolicy'] === 'Local';

/**
 * A change of type takes along what only the old type had, as far as the update left it as it was:
 * what an author sets anew is his, and is judged by the validation.
 */
export function dropOfOldType(spec: JsonObject, before: JsonObject): void {
  const type = textAt(spec, 'type');
  const earlier = textAt(before, 'type');
  const drop = (keys: readonly string[]): void => {
    for (const key of keys) if (same(spec[key], before[key])) delete spec[key];
  };
  if (hasClusterAddress(earlier) && !hasClusterAddress(type)) {
    drop(['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy']);
  }
  if (isExternal(earlier) && !isExternal(type)) {
    drop(['externalTrafficPolicy']);
    const old = listAt(before, 'ports').map((port) => objectAt(port)['nodePort']);
    for (const port of listAt(spec, 'ports').filter(isObject)) {
      if (old.includes(port['nodePort'])) delete port['nodePort'];
    }
  }
  if (isBalanced(earlier) && !isBalanced(type)) {
    drop(['allocateLoadBalancerNodePorts', 'loadBalancerClass']);
  }
  if (wantsHealthPort(before) && !wantsHealthPort(spec)) drop(['healthCheckNodePort']);
}
