import { ageColumn, column, field } from '../columns.ts';
import { ensureObject, isObject, type JsonObject, listAt, objectAt, textAt } from '../json.ts';
import { anything, listOf, record, setOf, text, time, yesNo } from '../schema/schema.ts';
import { builtIn } from './built-in.ts';
import { conditions } from './shapes.ts';

const ready = (object: JsonObject): string => {
  const found = listAt(object, 'status', 'conditions').find(
    (item) => isObject(item) && item['type'] === 'Ready',
  );
  const status = textAt(found, 'status');
  const known = status === 'True' ? 'Ready' : status === '' ? 'Unknown' : 'NotReady';
  return object['spec'] !== undefined && objectAt(object, 'spec')['unschedulable'] === true
    ? `${known},SchedulingDisabled`
    : known;
};
const rolePrefix = 'node-role.kubernetes.io/';
const roles = (object: JsonObject): string =>
  Object.keys(objectAt(object, 'metadata', 'labels'))
    .filter((label) => label.startsWith(rolePrefix))
    .map((label) => label.slice(rolePrefix.length))
    .sort()
    .join(',') || '<none>';
const addressOf = (object: JsonObject, type: string): string =>
  textAt(
    listAt(object, 'status', 'addresses').find((item) => isObject(item) && item['type'] === type),
    'address',
  ) || '<none>';
const nodeInfo = (key: string) => (object: JsonObject) =>
  textAt(object, 'status', 'nodeInfo', key) || '<unknown>';

/** A new node takes no Pods until it says that it is ready; who has said so has the taint removed. */
function taint(draft: JsonObject): void {
  const spec = ensureObject(draft, 'spec');
  const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };
  spec['taints'] = [...listAt(spec, 'taints'), notReady];
}

export const nodeKind = builtIn({
  kind: 'Node',
  hasStatus: true,
  plural: 'nodes',
  shortNames: ['no'],
  clusterScoped: true,
  description: 'A machine of the cluster.',
  fields: {
    spec: record('What is wanted of it.', {
      podCIDR: text('The range of its pods.'),
      podCIDRs: setOf('The ranges of its pods.', { type: 'string' }),
      providerID: text('Its name at the provider.'),
      unschedulable: yesNo('Whether it takes no new pods.'),
      taints: listOf(
        'What keeps pods away.',
        record('One taint.', {
          key: text('Its key.'),
          value: text('Its value.'),
          effect: text('NoSchedule, PreferNoSchedule or NoExecute.'),
          timeAdded: time('When it was added.'),
        }),
      ),
      externalID: text('No longer used.'),
      configSource: anything('No longer used.'),
    }),
    status: {
      ...record('What is known of it.', {
        conditions: conditions('Whether it is well.'),
        addresses: {
          // Merged by a key that need not be unique: a node has an InternalIP of each family.
          ...listOf(
            'Its addresses.',
            record('One address.', {
              type: text('InternalIP, Hostname …'),
              address: text('The address.'),
            }),
          ),
          'x-kubernetes-patch-merge-key': 'type',
          'x-kubernetes-patch-strategy': 'merge',
        },
      }),
      'x-kubernetes-preserve-unknown-fields': true,
    },
  },
  table: [
    { ...field('Name', ['metadata', 'name']), format: 'name' },
    column('Status', ready),
    column('Roles', roles),
    ageColumn,
    column('Version', (object) => textAt(object, 'status', 'nodeInfo', 'kubeletVersion')),
    column('Internal-IP', (object) => addressOf(object, 'InternalIP'), true),
    column('External-IP', (object) => addressOf(object, 'ExternalIP'), true),
    column('OS-Image', nodeInfo('osImage'), true),
    column('Kernel-Version', nodeInfo('kernelVersion'), true),
    column('Container-Runtime', nodeInfo('containerRuntimeVersion'), true),
  ],
  selectable: ['spec.unschedulable'],
  strategy: { prepare: (draft, before) => void (before === undefined && taint(draft)) },
});
