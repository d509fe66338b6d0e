/** Services and pools as no well-meaning person would write them. */
import fc from 'fast-check';
import { annotationPrefixes } from '../../crds/names.ts';
import type { Service } from '../../kube/object.ts';

/** Anything that a text can be, and much that nearly means something. */
export const text: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.ipV4(),
  fc.ipV6(),
  fc.constantFrom(
    '',
    ' ',
    ',',
    '198.51.100.1',
    '198.51.100.1,198.51.100.1',
    '198.51.100.1-198.51.100.9',
    '198.51.100.1/32',
    '198.51.100.01',
    '::ffff:198.51.100.1',
    '2001:db8::1%eth0',
    '0',
    '-1',
    '1e1',
    '999999999999',
    '*',
    'default',
    'key',
    'lan',
    '__proto__',
    'constructor',
    'LoadBalancer',
    'Local',
    'IPv4',
    'IPv6',
    'RequireDualStack',
    'null',
    '{"a":[]}',
    '\u0000',
    '\uD800',
    ','.repeat(1_000),
    '1'.repeat(5_000),
  ),
);

const notes = [
  'address-pool',
  'loadBalancerIPs',
  'allow-shared-ip',
  'share-with-namespaces',
  'address-count',
  'ip-allocated-from-pool',
];
const annotations = fc.dictionary(
  fc.oneof(
    fc.constantFrom(
      ...annotationPrefixes.flatMap((prefix) => notes.map((note) => `${prefix}/${note}`)),
    ),
    text,
  ),
  text,
  { maxKeys: 5 },
);

const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
/** Mostly what belongs there: else nothing behind it is ever reached. */
const mostly = (right: string) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: text });

const spec = fc.record({
  type: mostly('LoadBalancer'),
  clusterIP: maybe(text),
  clusterIPs: maybe(fc.array(mostly('203.0.113.1'), { maxLength: 3 })),
  ipFamilies: maybe(fc.array(mostly('IPv4'), { maxLength: 3 })),
  ipFamilyPolicy: maybe(text),
  loadBalancerIP: maybe(text),
  loadBalancerClass: fc.option(text, { nil: undefined, freq: 6 }),
  externalTrafficPolicy: maybe(text),
  selector: maybe(fc.dictionary(text, text, { maxKeys: 2 })),
  ports: maybe(
    fc.array(fc.record({ protocol: maybe(text), port: fc.integer({ min: 0, max: 70_000 }) }), {
      maxLength: 3,
    }),
  ),
});

const status = fc.record({
  loadBalancer: fc.record({
    ingress: maybe(
      fc.array(fc.record({ ip: maybe(text), hostname: maybe(text) }), { maxLength: 3 }),
    ),
  }),
  conditions: maybe(
    fc.array(
      fc.record({
        type: mostly('metallb.io/AddressAsRequested'),
        status: mostly('False'),
        reason: text,
        message: text,
        lastTransitionTime: text,
      }),
      { maxLength: 2 },
    ),
  ),
});

/** A Service of which every text is whatever came; `name` and `namespace` are what the API server grants. */
export const hostileService = (name: string, namespace: string): fc.Arbitrary<Service> =>
  fc
    .record({ annotations, labels: fc.dictionary(text, text, { maxKeys: 3 }), spec, status })
    .map(({ annotations: noted, labels, ...rest }) => {
      const metadata = { name, namespace, uid: `uid-${name}`, annotations: noted, labels };
      const object = { apiVersion: 'v1', kind: 'Service', metadata, ...rest };
      // As JSON brings it: what is undefined is not there. A text is no family, as the type believes.
      return JSON.parse(JSON.stringify(object)) as Service;
    });
