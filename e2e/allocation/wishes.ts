import { annotationKey } from '../../crds/names.ts';
import type { IpFamily, ServiceSpec } from '../../kube/object.ts';
import type { Wish } from './town.ts';

/** What a Service may ask for. Each mentions one thing; `both` puts them together. */
export const addresses = (ips: string): Wish => ({
  annotations: { [annotationKey('loadBalancerIPs')]: ips },
});

export const fromPool = (name: string): Wish => ({
  annotations: { [annotationKey('address-pool')]: name },
});

export const sharing = (key: string, port: number, spec: ServiceSpec = {}): Wish => ({
  annotations: { [annotationKey('allow-shared-ip')]: key },
  spec: { ports: [{ port }], ...spec },
});

export const singleStack = (family: IpFamily): Wish => ({
  spec: { ipFamilyPolicy: 'SingleStack', ipFamilies: [family] },
});

export const dualStack = (
  policy: 'PreferDualStack' | 'RequireDualStack',
  first: IpFamily = 'IPv4',
): Wish => ({
  spec: {
    ipFamilyPolicy: policy,
    ipFamilies: first === 'IPv4' ? ['IPv4', 'IPv6'] : ['IPv6', 'IPv4'],
  },
});

export const both = (one: Wish, other: Wish): Wish => ({
  ...one,
  ...other,
  annotations: { ...one.annotations, ...other.annotations },
  spec: { ...one.spec, ...other.spec },
});
