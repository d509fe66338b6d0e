import { column, orNone } from '../columns.ts';
import { asText, isObject, type JsonObject, listAt, objectAt, textAt } from '../json.ts';
import { labelFault } from '../names.ts';
import type { Resource, Strategy } from '../resource.ts';
import {
  integer,
  intOrText,
  keyedList,
  listOf,
  mapOf,
  record,
  text,
  yesNo,
} from '../schema/schema.ts';
import { builtIn } from './built-in.ts';
import { conditions } from './shapes.ts';

const texts = (description: string) => listOf(description, { type: 'string' });

const spec = record('What is wanted.', {
  type: text('ClusterIP, NodePort, LoadBalancer or ExternalName.'),
  selector: {
    ...mapOf('Labels of the pods behind it.', { type: 'string' }),
    'x-kubernetes-map-type': 'atomic',
  },
  ports: keyedList(
    'What it listens on.',
    ['port', 'protocol'],
    record('One port.', {
      name: text('Its name; required where there are several.'),
      protocol: text('TCP, UDP or SCTP.', { default: 'TCP' }),
      appProtocol: text('The protocol on top.'),
      port: integer('Its number.'),
      targetPort: intOrText('Number or name of the port of the pods.'),
      nodePort: integer('Its number on every node.'),
    }),
  ),
  clusterIP: text('Its address inside the cluster, or None.'),
  clusterIPs: texts('Its addresses inside the cluster, one per family.'),
  ipFamilies: texts('The families of its addresses.'),
  ipFamilyPolicy: text('SingleStack, PreferDualStack or RequireDualStack.'),
  externalIPs: texts('Addresses of nodes that it answers on as well.'),
  loadBalancerIP: text('The address that is asked for. Deprecated.'),
  loadBalancerClass: text('Which load balancer is to serve it.'),
  loadBalancerSourceRanges: texts('Who may come in.'),
  allocateLoadBalancerNodePorts: yesNo('Whether a load balancer needs node ports.'),
  externalName: text('The name that an ExternalName stands for.'),
  externalTrafficPolicy: text('Cluster, or Local for backends of the same node only.'),
  internalTrafficPolicy: text('Cluster, or Local for backends of the same node only.'),
  healthCheckNodePort: integer('Where a node tells whether it has backends.'),
  publishNotReadyAddresses: yesNo('Whether backends count before they are ready.'),
  sessionAffinity: text('None or ClientIP.'),
  sessionAffinityConfig: record('How long clients are remembered.', {
    clientIP: record('For ClientIP.', { timeoutSeconds: integer('Seconds.') }),
  }),
  trafficDistribution: text('Which backends are preferred.'),
});

const status = record('What is.', {
  loadBalancer: record('What the load balancer gave.', {
    ingress: listOf(
      'Where it can be reached.',
      record('One place.', {
        ip: text('An address.'),
        hostname: text('A name.'),
        ipMode: text('VIP, or Proxy when the load balancer is the client of the backends.'),
        ports: listOf(
          'What its ports came to.',
          record('One port.', {
            port: integer('Its number.'),
            protocol: text('TCP, UDP or SCTP.'),
            error: text('What went wrong.'),
          }),
        ),
      }),
    ),
  }),
  conditions: conditions('How it is.'),
});

const ingressOf = (object: JsonObject): string[] =>
  listAt(object, 'status', 'loadBalancer', 'ingress').map(
    (item) => textAt(item, 'ip') || textAt(item, 'hostname'),
  );

/** What kubectl shows of long lists of addresses, unless asked for `-o wide`. */
const externalWidth = 16;

function externalIp(object: JsonObject, wide: boolean): string {
  const extra = listAt(object, 'spec', 'externalIPs').map(asText);
  switch (textAt(object, 'spec', 'type')) {
    case 'ExternalName':
      return textAt(object, 'spec', 'externalName');
    case 'LoadBalancer': {
      const given = ingressOf(object).join(',');
      const short =
        wide || given.length <= externalWidth ? given : `${given.slice(0, externalWidth - 3)}...`;
      return [short, ...extra].filter((item) => item !== '').join(',') || '<pending>';
    }
    default:
      return orNone(extra.join(','));
  }
}

function portsOf(object: JsonObject): string {
  const ports = listAt(object, 'spec', 'ports').filter(isObject);
  return orNone(
    ports
      .map(({ port, nodePort, protocol }) => {
        const onNode = nodePort === undefined ? '' : `:${asText(nodePort)}`;
        return `${asText(port)}${onNode}/${asText(protocol)}`;
      })
      .join(','),
  );
}

export const serviceKind = (strategy: Omit<Strategy, 'nameFault'>): Resource =>
  builtIn({
    kind: 'Service',
    plural: 'services',
    shortNames: ['svc'],
    categories: ['all'],
    description: 'A stable address for the pods that a selector finds.',
    fields: { spec, status },
    columns: [
      column('Type', (object) => textAt(object, 'spec', 'type')),
      column('Cluster-IP', (object) => orNone(textAt(object, 'spec', 'clusterIP'))),
      column('External-IP', (object, { wide }) => externalIp(object, wide)),
      column('Port(s)', portsOf),
      column(
        'Selector',
        (object) => {
          const selector = Object.entries(objectAt(object, 'spec', 'selector'));
          return orNone(selector.map(([key, value]) => `${key}=${asText(value)}`).join(','));
        },
        true,
      ),
    ],
    selectable: ['spec.clusterIP', 'spec.type'],
    hasStatus: true,
    createOnUpdate: true,
    strategy: { nameFault: labelFault, ...strategy },
  });
