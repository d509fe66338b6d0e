import { asText, isObject, type Json, type JsonObject } from './json.ts';
import { badRequest } from './refusal.ts';
import { apiVersionOf, type Resource } from './resource.ts';
import { validate } from './schema/validate.ts';
import { dropNulls, fillDefaults, prune } from './schema/walk.ts';

/** What to do about fields that the schema does not know: the `fieldValidation` of a request. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

type Decoding = {
  readonly resource: Resource;
  readonly fieldValidation: FieldValidation;
  readonly warn: (text: string) => void;
};

/**
 * Makes a draft of what a client sent, in place: type checked, unknown fields gone (or refused),
 * defaults filled in. What the schema of a custom resource forbids is refused later, with everything
 * else that is wrong.
 */
export function decode(draft: Json, { resource, fieldValidation, warn }: Decoding): JsonObject {
  const apiVersion = apiVersionOf(resource);
  if (!isObject(draft)) throw badRequest(`the body is no ${resource.kind} object`);
  draft['apiVersion'] ??= apiVersion;
  draft['kind'] ??= resource.kind;
  if (draft['apiVersion'] !== apiVersion) {
    throw badRequest(
      `the API version in the data (${asText(draft['apiVersion'])}) does not match the expected API version (${apiVersion})`,
    );
  }
  if (draft['kind'] !== resource.kind) {
    throw badRequest(`the kind in the data (${asText(draft['kind'])}) is not ${resource.kind}`);
  }
  // A Go struct has no null: it reads as the field's absence.
  if (resource.custom) dropNulls(draft['metadata'] ?? {});
  else dropNulls(draft);

  const unknown = prune(draft, resource.schema);
  if (unknown.length > 0 && fieldValidation === 'Strict') {
    throw badRequest(
      `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: strict decoding error: ${unknown
        .map((path) => `unknown field "${path}"`)
        .join(', ')}`,
    );
  }
  if (fieldValidation === 'Warn') for (const path of unknown) warn(`unknown field "${path}"`);
  fillDefaults(draft, resource.schema);
  if (!resource.custom) refuseWrongTypes(draft, resource);
  return draft;
}

/** The built-in kinds are Go structs: a value of the wrong type is no such object at all. */
function refuseWrongTypes(draft: JsonObject, resource: Resource): void {
  const fault = validate(draft, resource.schema).find(
    ({ reason }) => reason === 'FieldValueTypeInvalid',
  );
  if (fault === undefined) return;
  throw badRequest(
    `${resource.kind} in version "${resource.version}" cannot be handled as a ${resource.kind}: json: cannot unmarshal into field ${fault.field}: ${fault.message}`,
  );
}
