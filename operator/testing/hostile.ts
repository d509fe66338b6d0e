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
  'has-node-addresses',
];
const noteKey = fc
  .tuple(fc.constantFrom(...annotationPrefixes), fc.constantFrom(...notes))
  .map((parts) => parts.join('/'));
const annotations = fc.dictionary(
  fc.oneof({ weight: 5, arbitrary: noteKey }, { weight: 1, arbitrary: text }),
  text,
  { maxKeys: 4 },
);

/** Mostly left out, and mostly what belongs there: of what is wrong, only the first is ever reached. */
const seldom = <T>(one: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: one });
const mostly = (right: string) =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(right) }, { weight: 1, arbitrary: text });

const spec = fc.record({
  type: mostly('LoadBalancer'),
  clusterIP: seldom(text),
  clusterIPs: fc.array(mostly('203.0.113.1'), { minLength: 1, maxLength: 3 }),
  ipFamilies: seldom(fc.array(mostly('IPv4'), { maxLength: 3 })),
  ipFamilyPolicy: seldom(text),
  loadBalancerIP: seldom(text),
  loadBalancerClass: seldom(text),
  externalTrafficPolicy: seldom(text),
  selector: seldom(fc.dictionary(text, text, { maxKeys: 2 })),
  ports: seldom(
    fc.array(fc.record({ protocol: seldom(text), port: fc.integer({ min: 0, max: 70_000 }) }), {
      maxLength: 3,
    }),
  ),
});

const status = fc.record({
  loadBalancer: fc.record({
    ingress: seldom(
      fc.array(fc.record({ ip: seldom(text), hostname: seldom(text) }), { maxLength: 3 }),
    ),
  }),
  conditions: seldom(
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
