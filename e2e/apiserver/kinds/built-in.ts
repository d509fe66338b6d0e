import { ageColumn, nameColumn } from '../columns.ts';
import { subdomainFault } from '../names.ts';
import type { Column, Resource, Strategy } from '../resource.ts';
import { metadataSchema } from '../schema/metadata.ts';
import { type Schema, text } from '../schema/schema.ts';

/** What sets one built-in kind apart from the others. */
export type Definition = {
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly plural: string;
  readonly description: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly clusterScoped?: true;
  /** The fields besides apiVersion, kind and metadata. */
  readonly fields: Readonly<Record<string, Schema>>;
  /** Columns between name and age. */
  readonly columns?: readonly Column[];
  /** All the columns, where name and age do not frame them. */
  readonly table?: readonly Column[];
  readonly selectable?: readonly string[];
  readonly strategy?: Partial<Strategy>;
  /** Whether the kind has a status endpoint, and nothing else writes status. */
  readonly hasStatus?: true;
  readonly insistsOnVersion?: true;
  readonly createOnUpdate?: true;
  readonly hasGeneration?: true;
};

export function builtIn(definition: Definition): Resource {
  const { group = '', version = 'v1', kind, plural, description, columns = [] } = definition;
  const always = columns.filter(({ priority }) => priority === 0);
  const wide = columns.filter(({ priority }) => priority === 1);
  return {
    group,
    version,
    plural,
    kind,
    singular: kind.toLowerCase(),
    listKind: `${kind}List`,
    shortNames: definition.shortNames ?? [],
    categories: definition.categories ?? [],
    namespaced: definition.clusterScoped !== true,
    schema: {
      type: 'object',
      description,
      properties: {
        apiVersion: text('Version of the schema that this object is written in.'),
        kind: text('What this object is.'),
        metadata: metadataSchema,
        ...definition.fields,
      },
    },
    columns: definition.table ?? [nameColumn, ...always, ageColumn, ...wide],
    fields: ['metadata.name', 'metadata.namespace', ...(definition.selectable ?? [])],
    strategy: { nameFault: subdomainFault, ...definition.strategy },
    hasStatus: definition.hasStatus === true,
    custom: false,
    unconditionalUpdate: definition.insistsOnVersion !== true,
    createOnUpdate: definition.createOnUpdate === true,
    hasGeneration: definition.hasGeneration === true,
  };
}
