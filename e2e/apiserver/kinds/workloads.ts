import { column, orNone } from '../columns.ts';
import { asText, isObject, type Json, type JsonObject, listAt, objectAt, textAt } from '../json.ts';
import type { Resource } from '../resource.ts';
import { anything, integer, record, type Schema } from '../schema/schema.ts';
import { builtIn } from './built-in.ts';
import { conditions, labelSelector, podSpec, podTemplate } from './shapes.ts';

const open: Schema = { 'x-kubernetes-preserve-unknown-fields': true };

const statuses = (pod: JsonObject) => listAt(pod, 'status', 'containerStatuses').filter(isObject);
const numberAt = (object: Json | undefined, key: string): number => {
  const value = isObject(object) ? object[key] : undefined;
  return typeof value === 'number' ? value : 0;
};

const pod = builtIn({
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  description: 'Containers that run together.',
  fields: {
    spec: podSpec,
    status: { ...record('What is.', { conditions: conditions('Whether it is well.') }), ...open },
  },
  columns: [
    column('Ready', (object) => {
      const ready = statuses(object).filter((status) => status['ready'] === true).length;
      return `${ready}/${listAt(object, 'spec', 'containers').length}`;
    }),
    column('Status', (object) =>
      object['metadata'] !== undefined && textAt(object, 'metadata', 'deletionTimestamp') !== ''
        ? 'Terminating'
        : textAt(object, 'status', 'reason') || textAt(object, 'status', 'phase') || 'Unknown',
    ),
    column('Restarts', (object) =>
      String(statuses(object).reduce((sum, status) => sum + numberAt(status, 'restartCount'), 0)),
    ),
    column('IP', (object) => orNone(textAt(object, 'status', 'podIP')), true),
    column('Node', (object) => orNone(textAt(object, 'spec', 'nodeName')), true),
  ],
  selectable: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
    'status.phase',
    'status.podIP',
    'status.nominatedNodeName',
  ],
  hasStatus: true,
  strategy: {
    defaults: (draft) => {
      const spec = objectAt(draft, 'spec');
      spec['restartPolicy'] ??= 'Always';
      spec['schedulerName'] ??= 'default-scheduler';
      spec['serviceAccountName'] ??= 'default';
    },
    prepare: (draft, before) => {
      if (before === undefined) draft['status'] = { phase: 'Pending' };
    },
  },
});

const deployment = builtIn({
  group: 'apps',
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  description: 'Pods that are replaced step by step. Stored only: nothing here makes its pods.',
  fields: {
    spec: {
      ...record('What is wanted.', {
        replicas: { ...integer('How many pods.'), default: 1 },
        selector: labelSelector('Which pods are its own.'),
        template: podTemplate,
        strategy: anything('How pods are replaced.'),
      }),
      ...open,
    },
    status: { ...record('What is.', { conditions: conditions('How it is going.') }), ...open },
  },
  columns: [
    column('Ready', (object) => {
      const wanted = numberAt(object['spec'], 'replicas');
      return `${numberAt(object['status'], 'readyReplicas')}/${wanted}`;
    }),
    column('Up-to-date', (object) => numberAt(object['status'], 'updatedReplicas')),
    column('Available', (object) => numberAt(object['status'], 'availableReplicas')),
  ],
  hasStatus: true,
  hasGeneration: true,
});

const daemonSet = builtIn({
  group: 'apps',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  categories: ['all'],
  description: 'One pod on every node. Stored only: nothing here makes its pods.',
  fields: {
    spec: {
      ...record('What is wanted.', {
        selector: labelSelector('Which pods are its own.'),
        template: podTemplate,
        updateStrategy: anything('How pods are replaced.'),
      }),
      ...open,
    },
    status: { ...record('What is.', { conditions: conditions('How it is going.') }), ...open },
  },
  columns: [
    ...[
      ['Desired', 'desiredNumberScheduled'],
      ['Current', 'currentNumberScheduled'],
      ['Ready', 'numberReady'],
      ['Up-to-date', 'updatedNumberScheduled'],
      ['Available', 'numberAvailable'],
    ].map(([name = '', key = '']) => column(name, (object) => numberAt(object['status'], key))),
    column('Node Selector', (object) => {
      const wanted = objectAt(object, 'spec', 'template', 'spec', 'nodeSelector');
      return orNone(
        Object.entries(wanted)
          .map(([key, value]) => `${key}=${asText(value)}`)
          .join(','),
      );
    }),
  ],
  hasStatus: true,
  hasGeneration: true,
});

export const workloadKinds: readonly Resource[] = [pod, deployment, daemonSet];
