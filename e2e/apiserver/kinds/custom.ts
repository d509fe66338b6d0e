import { ageColumn, nameColumn, since } from '../columns.ts';
import { asText, isObject, type Json, type JsonObject, listAt, objectAt, textAt } from '../json.ts';
import { parseJsonPath, valuesAt } from '../json-path.ts';
import { subdomainFault } from '../names.ts';
import type { Column, Resource } from '../resource.ts';
import { metadataSchema } from '../schema/metadata.ts';
import { type Schema, text } from '../schema/schema.ts';

/** What a CustomResourceDefinition asks to be served: one resource per served version. */
export function resourcesOf(definition: JsonObject): readonly Resource[] {
  const names = objectAt(definition, 'spec', 'names');
  const group = textAt(definition, 'spec', 'group');
  return listAt(definition, 'spec', 'versions')
    .filter((version) => isObject(version) && version['served'] === true)
    .map((version) => ({
      group,
      version: textAt(version, 'name'),
      plural: textAt(names, 'plural'),
      singular: textAt(names, 'singular'),
      kind: textAt(names, 'kind'),
      listKind: textAt(names, 'listKind'),
      shortNames: listAt(names, 'shortNames').map(asText),
      categories: listAt(names, 'categories').map(asText),
      namespaced: textAt(definition, 'spec', 'scope') === 'Namespaced',
      schema: wholeSchema(objectAt(version, 'schema', 'openAPIV3Schema')),
      columns: columnsOf(listAt(version, 'additionalPrinterColumns')),
      fields: [
        'metadata.name',
        'metadata.namespace',
        ...listAt(version, 'selectableFields').map((field) => textAt(field, 'jsonPath').slice(1)),
      ],
      strategy: { nameFault: subdomainFault },
      hasStatus: isObject(objectAt(version, 'subresources')['status']),
      custom: true,
      unconditionalUpdate: false,
      createOnUpdate: false,
      hasGeneration: true,
    }));
}

/** The definition's schema plus what every object has. */
function wholeSchema(own: JsonObject): Schema {
  // Its structure was checked when the definition was accepted.
  const schema = own as Schema;
  return {
    ...schema,
    properties: {
      ...schema.properties,
      apiVersion: text('Version of the schema that this object is written in.'),
      kind: text('What this object is.'),
      metadata: metadataSchema,
    },
  };
}

function columnsOf(declared: readonly Json[]): readonly Column[] {
  if (declared.length === 0) return [nameColumn, ageColumn];
  return [nameColumn, ...declared.filter(isObject).map(printerColumn)];
}

const types = ['string', 'integer', 'date', 'boolean', 'number'] as const;

function printerColumn(declared: JsonObject): Column {
  const path = parseJsonPath(textAt(declared, 'jsonPath')) ?? [];
  const type = types.find((known) => known === declared['type']) ?? 'string';
  return {
    name: textAt(declared, 'name'),
    type,
    description: textAt(declared, 'description'),
    priority: declared['priority'] === undefined || declared['priority'] === 0 ? 0 : 1,
    cell: (object, { now }) => {
      const [first, ...more] = path.length === 0 ? [] : valuesAt(object, path);
      if (first === undefined || first === null) return null;
      switch (type) {
        case 'date':
          return since(asText(first), now);
        case 'string':
          return [first, ...more].map(shown).join(',');
        case 'integer':
        case 'number':
        case 'boolean':
          return first;
      }
    },
  };
}

const shown = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));
