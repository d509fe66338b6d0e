import type { Json, JsonObject } from './json.ts';
import type { Cause } from './field-fault.ts';
import type { Schema } from './schema/schema.ts';

/** An object as the store holds it: complete, shared and never changed again. */
export type Stored = JsonObject & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: JsonObject & {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
};

/** One column of the table that kubectl prints. */
export type Column = {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date' | 'boolean' | 'number';
  readonly format?: 'name';
  readonly description: string;
  /** 0 is always shown, 1 with `-o wide`. */
  readonly priority: 0 | 1;
  readonly cell: (object: JsonObject, view: View) => Json;
};
export type View = { readonly now: Date; readonly wide: boolean };

/** What a kind does beyond storing: each step works on a draft that nobody else sees yet. */
export type Strategy = {
  /** What is wrong with this name, undefined when nothing is. */
  readonly nameFault: (name: string) => string | undefined;
  /** The defaults of an object as it is read, whoever wrote it. */
  readonly defaults?: (draft: JsonObject) => void;
  /** Fills in what the server decides when `before` is undefined (create) or on an update. */
  readonly prepare?: (draft: JsonObject, before: Stored | undefined) => void;
  readonly validate?: (draft: JsonObject, before: Stored | undefined) => Cause[];
  readonly validateStatus?: (draft: JsonObject) => Cause[];
  readonly prepareStatus?: (draft: JsonObject) => void;
  /** After the object is gone for good (dry runs never come here). */
  readonly removed?: (object: Stored) => void;
  /** After the draft is refused or was a dry run: give back what `prepare` took. */
  readonly discard?: (draft: JsonObject, before: Stored | undefined) => void;
  /** After the object is stored. */
  readonly stored?: (object: Stored, before: Stored | undefined) => void;
};

/** One version of one kind that is served. */
export type Resource = {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly schema: Schema;
  readonly columns: readonly Column[];
  readonly fields: readonly string[];
  readonly strategy: Strategy;
  /** Status is written through /status only. */
  readonly hasStatus: boolean;
  /** From a CRD: pruned and checked by its schema, no strategic merge patch. */
  readonly custom: boolean;
  /** PUT without a resourceVersion is taken as "whatever is there". */
  readonly unconditionalUpdate: boolean;
  readonly createOnUpdate: boolean;
  /** Counts changes of the desired state in metadata.generation. */
  readonly hasGeneration: boolean;
};

export const apiVersionOf = ({ group, version }: { group: string; version: string }): string =>
  group === '' ? version : `${group}/${version}`;

/** All versions of a kind share one collection in the store. */
export const collectionOf = ({ group, plural }: { group: string; plural: string }): string =>
  `${group}/${plural}`;

export const namespaceOf = (object: Stored): string => {
  const namespace = object.metadata['namespace'];
  return typeof namespace === 'string' ? namespace : '';
};

/** Sorts as etcd does: by namespace, then name. */
export const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;
