import { column } from '../columns.ts';
import { textAt } from '../json.ts';
import { segmentFault } from '../names.ts';
import type { Resource } from '../resource.ts';
import { listOf, record, type Schema, text } from '../schema/schema.ts';
import { builtIn, type Definition } from './built-in.ts';
import { labelSelector } from './shapes.ts';

const texts = (description: string): Schema => listOf(description, { type: 'string' });

const rules = listOf(
  'What may be done.',
  record('One rule.', {
    apiGroups: texts('In which groups.'),
    resources: texts('To which resources.'),
    resourceNames: texts('To which objects.'),
    nonResourceURLs: texts('At which other paths.'),
    verbs: texts('Which verbs.'),
  }),
);
const subjects = listOf(
  'Who is bound.',
  record('One subject.', {
    kind: text('ServiceAccount, User or Group.'),
    apiGroup: text('Group of the kind.'),
    name: text('Its name.'),
    namespace: text('Its namespace.'),
  }),
);
const roleRef: Schema = {
  ...record('The role that is bound.', {
    apiGroup: text('Group of the kind.'),
    kind: text('Role or ClusterRole.'),
    name: text('Its name.'),
  }),
  'x-kubernetes-map-type': 'atomic',
};

const rbac = (
  definition: Pick<Definition, 'kind' | 'plural' | 'fields' | 'clusterScoped'>,
): Resource =>
  builtIn({
    group: 'rbac.authorization.k8s.io',
    description: 'A permission. Stored only: this server lets everybody do everything.',
    createOnUpdate: true,
    strategy: { nameFault: segmentFault },
    columns: definition.plural.endsWith('bindings')
      ? [column('Role', ({ roleRef: role }) => `${textAt(role, 'kind')}/${textAt(role, 'name')}`)]
      : [column('Created At', (object) => textAt(object, 'metadata', 'creationTimestamp'))],
    ...definition,
  });

export const rbacKinds: readonly Resource[] = [
  rbac({ kind: 'Role', plural: 'roles', fields: { rules } }),
  rbac({ kind: 'RoleBinding', plural: 'rolebindings', fields: { subjects, roleRef } }),
  rbac({
    kind: 'ClusterRole',
    plural: 'clusterroles',
    clusterScoped: true,
    fields: {
      rules,
      aggregationRule: record('Roles whose rules are added.', {
        clusterRoleSelectors: listOf('Which roles.', labelSelector('One selection.')),
      }),
    },
  }),
  rbac({
    kind: 'ClusterRoleBinding',
    plural: 'clusterrolebindings',
    clusterScoped: true,
    fields: { subjects, roleRef },
  }),
];
