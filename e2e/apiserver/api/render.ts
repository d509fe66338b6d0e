import type { Json, JsonObject } from '../json.ts';
import { asVersion } from '../conversion.ts';
import { apiVersionOf, type Resource, type Stored } from '../resource.ts';
import type { Rendering } from './media.ts';

/** What is shown of the objects inside a table. */
type TableObjects = 'None' | 'Metadata' | 'Object';

export type Show = {
  readonly resource: Resource;
  readonly rendering: Rendering;
  readonly tableObjects: TableObjects;
  readonly now: () => Date;
};

const texts = new WeakMap<JsonObject, string>();

/** An object's JSON, made once however many lists and watchers show it. */
export function textOf(object: Stored): string {
  const known = texts.get(object);
  if (known !== undefined) return known;
  const made = JSON.stringify(object);
  texts.set(object, made);
  return made;
}

const bareTexts = new WeakMap<JsonObject, string>();

/** The same without what the list says for all of its items. */
function bareTextOf(object: Stored): string {
  const known = bareTexts.get(object);
  if (known !== undefined) return known;
  const { apiVersion: _, kind: __, ...bare } = object;
  const made = JSON.stringify(bare);
  bareTexts.set(object, made);
  return made;
}

const partial = ({ metadata }: Stored): JsonObject => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata,
});

export function renderObject(object: Stored, show: Show): string {
  const shown = asVersion(object, show.resource);
  switch (show.rendering) {
    case 'object':
      return textOf(shown);
    case 'metadata':
      return JSON.stringify(partial(shown));
    case 'table':
      return JSON.stringify(
        table([shown], show, { resourceVersion: shown.metadata.resourceVersion }),
      );
  }
}

export function renderList(objects: readonly Stored[], show: Show, metadata: JsonObject): string {
  const { resource, rendering } = show;
  const shown = objects.map((object) => asVersion(object, resource));
  switch (rendering) {
    case 'object': {
      const head = JSON.stringify({
        kind: resource.listKind,
        apiVersion: apiVersionOf(resource),
        metadata,
      });
      const items = shown.map(resource.custom ? textOf : bareTextOf);
      return `${head.slice(0, -1)},"items":[${items.join(',')}]}`;
    }
    case 'metadata':
      return JSON.stringify({
        kind: 'PartialObjectMetadataList',
        apiVersion: 'meta.k8s.io/v1',
        metadata,
        items: shown.map(partial),
      });
    case 'table':
      return JSON.stringify(table(shown, show, metadata));
  }
}

/** A Table; watches leave the column definitions out after the first. */
export function table(
  objects: readonly Stored[],
  { resource, tableObjects, now }: Show,
  metadata: JsonObject,
): JsonObject {
  const at = now();
  const cells = (object: Stored): Json[] =>
    resource.columns.map(({ cell, priority }) => cell(object, { now: at, wide: priority === 1 }));
  const inside = (object: Stored): Json => {
    switch (tableObjects) {
      case 'None':
        return null;
      case 'Metadata':
        return partial(object);
      case 'Object':
        return object;
    }
  };
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: resource.columns.map(({ name, type, format, description, priority }) => ({
      name,
      type,
      format: format ?? '',
      description,
      priority,
    })),
    rows: objects.map((object) => ({ cells: cells(object), object: inside(object) })),
  };
}
