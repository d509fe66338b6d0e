import { column } from '../columns.ts';
import { invalidValue, requiredValue, unsupportedValue } from '../field-fault.ts';
import {
  ensureObject,
  isObject,
  type Json,
  type JsonObject,
  listAt,
  objectAt,
  same,
  textAt,
} from '../json.ts';
import type { Cause } from '../field-fault.ts';
import type { Resource, Stored } from '../resource.ts';
import { anything, listOf, record, text, yesNo } from '../schema/schema.ts';
import { structuralFaults } from '../schema/structural.ts';
import { builtIn } from './built-in.ts';
import { conditions } from './shapes.ts';

const names = record('How it is called.', {
  plural: text('In URLs.'),
  singular: text('For one of them.'),
  kind: text('In objects.'),
  listKind: text('In lists.'),
  shortNames: listOf('For those who type.', { type: 'string' }),
  categories: listOf('Groups of kinds it is shown with.', { type: 'string' }),
});

const version = record('One version.', {
  name: text('Its name.'),
  served: yesNo('Whether it is served.'),
  storage: yesNo('Whether objects are stored in it.'),
  deprecated: yesNo('Whether it should no longer be used.'),
  deprecationWarning: text('What its users are told.'),
  schema: record('What its objects look like.', { openAPIV3Schema: anything('The schema.') }),
  subresources: anything('Which subresources it has.'),
  additionalPrinterColumns: listOf(
    'What kubectl shows.',
    record('One column.', {
      name: text('Its heading.'),
      type: text('Type of its values.'),
      format: text('Format of its values.'),
      description: text('What it shows.'),
      jsonPath: text('Where the value is.'),
      priority: { type: 'integer', format: 'int32', description: '0 to show it always.' },
    }),
  ),
  selectableFields: listOf(
    'Fields to select by.',
    record('One field.', { jsonPath: text('Its path.') }),
  ),
});

/** CustomResourceDefinition; `serve` and `withdraw` put its resources into service. */
export function definitionKind(hooks: {
  readonly now: () => string;
  readonly serve: (definition: Stored) => void;
  readonly withdraw: (definition: Stored) => void;
}): Resource {
  return builtIn({
    group: 'apiextensions.k8s.io',
    kind: 'CustomResourceDefinition',
    plural: 'customresourcedefinitions',
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    clusterScoped: true,
    description: 'A kind that the API is extended by. CEL rules are kept but not evaluated.',
    fields: {
      spec: record('What is wanted.', {
        group: text('Its API group.'),
        names,
        scope: text('Cluster or Namespaced.'),
        versions: listOf('Its versions.', version),
        conversion: anything('How versions become each other: only None works here.'),
        preserveUnknownFields: yesNo('No longer used.'),
      }),
      status: record('What is.', {
        conditions: conditions('Whether it is served.'),
        acceptedNames: names,
        storedVersions: listOf('Versions that objects may be stored in.', { type: 'string' }),
      }),
    },
    table: [
      { ...column('Name', (object) => textAt(object, 'metadata', 'name')), format: 'name' },
      column('Created At', (object) => textAt(object, 'metadata', 'creationTimestamp')),
    ],
    hasStatus: true,
    insistsOnVersion: true,
    hasGeneration: true,
    strategy: {
      defaults: fillIn,
      prepare: (draft, before) => acceptNames(draft, before, hooks.now()),
      validate: faults,
      stored: (definition, before) => {
        if (before === undefined || !same(before['spec'], definition['spec']))
          hooks.serve(definition);
      },
      removed: hooks.withdraw,
    },
  });
}

function fillIn(draft: JsonObject): void {
  const spec = objectAt(draft, 'spec');
  const called = objectAt(spec, 'names');
  const kind = textAt(called, 'kind');
  called['singular'] ??= kind.toLowerCase();
  called['listKind'] ??= `${kind}List`;
  spec['conversion'] ??= { strategy: 'None' };
}

/** The work of the naming controller: names are taken as soon as the definition is stored. */
function acceptNames(draft: JsonObject, before: Stored | undefined, now: string): void {
  const condition = (type: string, reason: string, message: string): Json => ({
    type,
    status: 'True',
    lastTransitionTime: now,
    reason,
    message,
  });
  const status = ensureObject(draft, 'status');
  status['conditions'] = listAt(before, 'status', 'conditions');
  if (listAt(status, 'conditions').length === 0) {
    status['conditions'] = [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ];
  }
  status['acceptedNames'] = objectAt(draft, 'spec', 'names');
  const stored = listAt(draft, 'spec', 'versions')
    .filter((item) => isObject(item) && item['storage'] === true)
    .map((item) => textAt(item, 'name'));
  status['storedVersions'] = [
    ...new Set([...listAt(before, 'status', 'storedVersions'), ...stored]),
  ];
}

function faults(draft: JsonObject, before: Stored | undefined): Cause[] {
  const found: Cause[] = [];
  const spec = objectAt(draft, 'spec');
  const group = textAt(spec, 'group');
  const plural = textAt(spec, 'names', 'plural');
  const name = textAt(draft, 'metadata', 'name');
  if (group === '') found.push(requiredValue('spec.group'));
  if (plural === '') found.push(requiredValue('spec.names.plural'));
  if (textAt(spec, 'names', 'kind') === '') found.push(requiredValue('spec.names.kind'));
  if (name !== `${plural}.${group}`) {
    found.push(invalidValue('metadata.name', name, 'must be spec.names.plural+"."+spec.group'));
  }
  const scope = textAt(spec, 'scope');
  const scopes = ['Cluster', 'Namespaced'];
  if (scope === '') found.push(requiredValue('spec.scope'));
  else if (!scopes.includes(scope)) found.push(unsupportedValue('spec.scope', scope, scopes));
  const versions = listAt(spec, 'versions');
  const storage = versions.filter((item) => isObject(item) && item['storage'] === true);
  if (storage.length !== 1) {
    found.push(
      invalidValue(
        'spec.versions',
        versions.length,
        'must have exactly one version marked as storage version',
      ),
    );
  }
  for (const [index, item] of versions.entries()) {
    const path = `spec.versions[${index}].schema.openAPIV3Schema`;
    const schema = objectAt(item, 'schema')['openAPIV3Schema'];
    if (schema === undefined) found.push(requiredValue(path, 'schemas are required'));
    else found.push(...structuralFaults(schema, path));
  }
  for (const key of ['group', 'scope']) {
    const old = objectAt(before, 'spec')[key];
    if (old !== undefined && !same(old, spec[key])) {
      found.push(invalidValue(`spec.${key}`, spec[key], 'field is immutable'));
    }
  }
  return found;
}
