import {
  integer,
  keyedList,
  listOf,
  mapOf,
  record,
  type Schema,
  setOf,
  text,
  time,
  yesNo,
  anything,
} from './schema.ts';

const ownerReference: Schema = {
  ...record('An object that this one belongs to.', {
    apiVersion: text('API version of the owner.'),
    kind: text('Kind of the owner.'),
    name: text('Name of the owner.'),
    uid: text('UID of the owner.'),
    controller: yesNo('Whether the owner is the managing controller.'),
    blockOwnerDeletion: yesNo('Whether the owner waits for this object when it is deleted.'),
  }),
  required: ['apiVersion', 'kind', 'name', 'uid'],
  'x-kubernetes-map-type': 'atomic',
};

/** ObjectMeta, which every kind carries. */
export const metadataSchema: Schema = record('Name, labels and bookkeeping of the object.', {
  name: text('Name, unique among the objects of its kind in the namespace.'),
  generateName: text('Prefix from which the server makes a name when none is given.'),
  namespace: text('The namespace that the name is unique in.'),
  selfLink: text('No longer filled in.'),
  uid: text('Identity of this object in time; a successor of the same name has another.'),
  resourceVersion: text('Opaque version for optimistic concurrency and for watching.'),
  generation: integer('Number of the latest desired state.', 'int64'),
  creationTimestamp: time('When the object was created.'),
  deletionTimestamp: time('When deletion was asked for; the object goes with its last finalizer.'),
  deletionGracePeriodSeconds: integer('Seconds allowed for a graceful end.', 'int64'),
  labels: mapOf('Keys and values to select objects by.', { type: 'string' }),
  annotations: mapOf('Keys and values for tools.', { type: 'string' }),
  ownerReferences: keyedList('Objects that this one belongs to.', ['uid'], ownerReference),
  finalizers: setOf('Who must agree before the object goes.', { type: 'string' }),
  managedFields: listOf(
    'Which manager owns which fields.',
    record('Fields owned by one manager.', {
      manager: text('Name of the manager.'),
      operation: text('Apply or Update.'),
      apiVersion: text('API version in which the fields are named.'),
      time: time('When the manager last wrote.'),
      fieldsType: text('FieldsV1.'),
      fieldsV1: anything('The fields, as a tree.'),
      subresource: text('The subresource that was written.'),
    }),
  ),
});
