import type { Field, Shape } from './shape.ts';

/*
 * The kinds that `kubectl create` and `kubectl expose` send as protobuf, with the field numbers of the
 * generated.proto files of k8s.io/api and k8s.io/apimachinery. A field that is not listed makes the body unreadable:
 * better refused than half read.
 */

/** Go writes every plain field, so an empty text, a zero and a false say nothing. */
const text: Field = { kind: 'text' };
const number: Field = { kind: 'number' };
const yes: Field = { kind: 'yes' };
/** Behind a pointer zero and false are values. */
const optionalNumber: Field = { kind: 'number', pointer: true };
const optionalYes: Field = { kind: 'yes', pointer: true };
const bytes: Field = { kind: 'bytes' };
/** What the server decides itself. */
const ignored: Field = { kind: 'ignored' };
const list = (of: Field): Field => ({ kind: 'list', of });
const map = (of: Field): Field => ({ kind: 'map', of });
const message = (shape: Shape): Field => ({ kind: 'message', shape });

const ownerReference: Shape = {
  1: ['kind', text],
  3: ['name', text],
  4: ['uid', text],
  5: ['apiVersion', text],
  6: ['controller', optionalYes],
  7: ['blockOwnerDeletion', optionalYes],
};

const metadata = message({
  1: ['name', text],
  2: ['generateName', text],
  3: ['namespace', text],
  4: ['selfLink', ignored],
  5: ['uid', ignored],
  6: ['resourceVersion', text],
  7: ['generation', ignored],
  8: ['creationTimestamp', ignored],
  11: ['labels', map(text)],
  12: ['annotations', map(text)],
  13: ['ownerReferences', list(message(ownerReference))],
  14: ['finalizers', list(text)],
});

const servicePort: Shape = {
  1: ['name', text],
  2: ['protocol', text],
  3: ['port', number],
  4: ['targetPort', { kind: 'numberOrText' }],
  5: ['nodePort', number],
  6: ['appProtocol', text],
};

const service: Shape = {
  1: ['metadata', metadata],
  2: [
    'spec',
    message({
      1: ['ports', list(message(servicePort))],
      2: ['selector', map(text)],
      3: ['clusterIP', text],
      4: ['type', text],
      5: ['externalIPs', list(text)],
      7: ['sessionAffinity', text],
      8: ['loadBalancerIP', text],
      9: ['loadBalancerSourceRanges', list(text)],
      10: ['externalName', text],
      11: ['externalTrafficPolicy', text],
      12: ['healthCheckNodePort', number],
      13: ['publishNotReadyAddresses', yes],
      17: ['ipFamilyPolicy', text],
      18: ['clusterIPs', list(text)],
      19: ['ipFamilies', list(text)],
      20: ['allocateLoadBalancerNodePorts', optionalYes],
      21: ['loadBalancerClass', text],
      22: ['internalTrafficPolicy', text],
      23: ['trafficDistribution', text],
    }),
  ],
  3: ['status', ignored],
};

const quantities = map(message({ 1: ['string', text] }));

const container: Shape = {
  1: ['name', text],
  2: ['image', text],
  3: ['command', list(text)],
  4: ['args', list(text)],
  5: ['workingDir', text],
  6: [
    'ports',
    list(
      message({
        1: ['name', text],
        2: ['hostPort', number],
        3: ['containerPort', number],
        4: ['protocol', text],
        5: ['hostIP', text],
      }),
    ),
  ],
  7: ['env', list(message({ 1: ['name', text], 2: ['value', text] }))],
  8: ['resources', message({ 1: ['limits', quantities], 2: ['requests', quantities] })],
  13: ['terminationMessagePath', text],
  14: ['imagePullPolicy', text],
  16: ['stdin', yes],
  17: ['stdinOnce', yes],
  18: ['tty', yes],
  20: ['terminationMessagePolicy', text],
};

const podTemplate = message({
  1: ['metadata', metadata],
  2: [
    'spec',
    message({
      2: ['containers', list(message(container))],
      3: ['restartPolicy', text],
      4: ['terminationGracePeriodSeconds', optionalNumber],
      6: ['dnsPolicy', text],
      7: ['nodeSelector', map(text)],
      8: ['serviceAccountName', text],
      9: ['serviceAccount', text],
      10: ['nodeName', text],
      11: ['hostNetwork', yes],
      12: ['hostPID', yes],
      13: ['hostIPC', yes],
      14: ['securityContext', message({})],
      16: ['hostname', text],
      17: ['subdomain', text],
      19: ['schedulerName', text],
      24: ['priorityClassName', text],
    }),
  ],
});

const deployment: Shape = {
  1: ['metadata', metadata],
  2: [
    'spec',
    message({
      1: ['replicas', optionalNumber],
      2: ['selector', message({ 1: ['matchLabels', map(text)] })],
      3: ['template', podTemplate],
      4: ['strategy', message({ 1: ['type', text] })],
      5: ['minReadySeconds', number],
      6: ['revisionHistoryLimit', optionalNumber],
      7: ['paused', yes],
      9: ['progressDeadlineSeconds', optionalNumber],
    }),
  ],
  3: ['status', ignored],
};

/** By `apiVersion kind`. */
export const shapes: Readonly<Record<string, Shape>> = {
  'v1 Namespace': { 1: ['metadata', metadata], 2: ['spec', ignored], 3: ['status', ignored] },
  'v1 Service': service,
  'v1 ServiceAccount': {
    1: ['metadata', metadata],
    4: ['automountServiceAccountToken', optionalYes],
  },
  'v1 ConfigMap': {
    1: ['metadata', metadata],
    2: ['data', map(text)],
    3: ['binaryData', map(bytes)],
    4: ['immutable', optionalYes],
  },
  'v1 Secret': {
    1: ['metadata', metadata],
    2: ['data', map(bytes)],
    3: ['type', text],
    4: ['stringData', map(text)],
    5: ['immutable', optionalYes],
  },
  'apps/v1 Deployment': deployment,
};
