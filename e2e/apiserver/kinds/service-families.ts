import { type Family, parseAddress } from '../../../net/address.ts';
import { type JsonObject, listAt, textAt } from '../json.ts';

const isFamily = (value: unknown): value is Family => value === 'IPv4' || value === 'IPv6';
const other = (family: Family): Family => (family === 'IPv4' ? 'IPv6' : 'IPv4');

/** The address families of a Service, the first one primary. */
export function decideFamilies(spec: JsonObject): readonly Family[] {
  const given = listAt(spec, 'ipFamilies');
  const asked = given.filter(isFamily);
  const shown = listAt(spec, 'clusterIPs').flatMap((text) => {
    const family = typeof text === 'string' ? parseAddress(text)?.family : undefined;
    return family === undefined ? [] : [family];
  });
  const wanted = asked.length >= shown.length ? asked : shown;
  // A headless Service without a selector is for whatever its endpoints are.
  const isOpen = spec['clusterIP'] === 'None' && spec['selector'] === undefined;
  const policy = textAt(spec, 'ipFamilyPolicy') || (isOpen ? 'RequireDualStack' : 'SingleStack');
  spec['ipFamilyPolicy'] = policy;
  const [primary = 'IPv4', second] = wanted;
  const families =
    policy === 'SingleStack' ? wanted.slice(0, 2) : [primary, second ?? other(primary)];
  return families.length === 0 ? [primary] : families;
}

/** Going back to a single stack gives the second family and its address up. */
export function dropSecondFamily(spec: JsonObject, before: JsonObject): void {
  const goesSingle =
    spec['ipFamilyPolicy'] === 'SingleStack' && before['ipFamilyPolicy'] !== 'SingleStack';
  if (!goesSingle) return;
  for (const key of ['clusterIPs', 'ipFamilies']) {
    const list = spec[key];
    if (Array.isArray(list) && list.length === listAt(before, key).length)
      spec[key] = list.slice(0, 1);
  }
}

/** Keeps `clusterIP` and the first of `clusterIPs` the same, whichever of them was written. */
export function alignClusterAddresses(spec: JsonObject, before: JsonObject | undefined): void {
  const one = textAt(spec, 'clusterIP');
  const all = listAt(spec, 'clusterIPs');
  const earlier = textAt(before, 'clusterIP');
  if (one === '' && all.length > 0) {
    const [first] = all;
    if (first !== undefined) spec['clusterIP'] = first;
  } else if (one !== '' && (all.length === 0 || (one !== earlier && all[0] === earlier))) {
    spec['clusterIPs'] = [one];
  }
}
