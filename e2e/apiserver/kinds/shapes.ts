import {
  anything,
  integer,
  keyedList,
  listOf,
  mapOf,
  record,
  type Schema,
  text,
  time,
} from '../schema/schema.ts';

/** A condition, keyed by its type. */
export const conditions = (description: string): Schema =>
  keyedList(
    description,
    ['type'],
    record('One observation.', {
      type: text('What is observed.'),
      status: text('True, False or Unknown.'),
      observedGeneration: integer('The generation that was observed.', 'int64'),
      lastTransitionTime: time('When the status last changed.'),
      lastHeartbeatTime: time('When this was last confirmed.'),
      lastProbeTime: time('When this was last probed.'),
      reason: text('Why, in one word.'),
      message: text('Why, for a person.'),
    }),
  );

export const objectReference = (description: string): Schema => ({
  ...record(description, {
    apiVersion: text('API version of the object.'),
    kind: text('Kind of the object.'),
    name: text('Name of the object.'),
    namespace: text('Namespace of the object.'),
    uid: text('UID of the object.'),
    resourceVersion: text('Version of the object.'),
    fieldPath: text('Part of the object.'),
  }),
  'x-kubernetes-map-type': 'atomic',
});

export const labelSelector = (description: string): Schema => ({
  ...record(description, {
    matchLabels: mapOf('Labels that must have these values.', { type: 'string' }),
    matchExpressions: listOf(
      'Requirements on labels.',
      record('One requirement.', {
        key: text('The label.'),
        operator: text('In, NotIn, Exists or DoesNotExist.'),
        values: listOf('The values for In and NotIn.', { type: 'string' }),
      }),
    ),
  }),
  'x-kubernetes-map-type': 'atomic',
});

const open: Schema = { 'x-kubernetes-preserve-unknown-fields': true };

const port: Schema = {
  ...record('A port of the container.', {
    name: text('Name of the port.'),
    containerPort: integer('Number of the port.'),
    hostPort: integer('Number of the port on the host.'),
    hostIP: text('Address on the host.'),
    protocol: text('TCP, UDP or SCTP.', { default: 'TCP' }),
  }),
};

const container: Schema = {
  ...record('A container.', {
    name: text('Name of the container, unique in the pod.'),
    image: text('Image to run.'),
    command: listOf('Program to run.', { type: 'string' }),
    args: listOf('Arguments of the program.', { type: 'string' }),
    env: keyedList('Environment variables.', ['name'], {
      ...record('One variable.', { name: text('Its name.'), value: text('Its value.') }),
      ...open,
    }),
    ports: keyedList('Ports that are listened on.', ['containerPort', 'protocol'], port),
    volumeMounts: keyedList('Volumes in the file system.', ['mountPath'], {
      ...record('One mount.', { name: text('The volume.'), mountPath: text('The path.') }),
      ...open,
    }),
  }),
  ...open,
};

/** The fields of a pod that its users merge by key; all others are kept as they come. */
export const podSpec: Schema = {
  ...record('What the pod is to run, and where.', {
    nodeName: text('The node that it runs on.'),
    hostNetwork: { type: 'boolean', description: "Whether it is on the host's network." },
    serviceAccountName: text('The account it acts as.'),
    nodeSelector: {
      ...mapOf('Labels that the node must have.', { type: 'string' }),
      'x-kubernetes-map-type': 'atomic',
    },
    containers: keyedList('Its containers.', ['name'], container),
    initContainers: keyedList('Containers that run before.', ['name'], container),
    volumes: keyedList('Its volumes.', ['name'], {
      ...record('One volume.', { name: text('Its name.') }),
      ...open,
    }),
    imagePullSecrets: keyedList(
      'Secrets to pull images with.',
      ['name'],
      record('One secret.', { name: text('Its name.') }),
    ),
  }),
  ...open,
};

export const podTemplate: Schema = {
  type: 'object',
  description: 'The pods to make.',
  properties: { metadata: anything('Their metadata.'), spec: podSpec },
};
