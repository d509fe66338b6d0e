import { applyConfiguration, outsideOf } from '../apply/apply.ts';
import type { Writer } from '../apply/managed-fields.ts';
import { decode } from '../decode.ts';
import { clone, isObject, type Json, type JsonObject, listAt, parseJson, textAt } from '../json.ts';
import { timestamp } from '../metadata.ts';
import type { Objects, Target, Written } from '../objects.ts';
import { jsonPatch } from '../patch/json.ts';
import { mergePatch } from '../patch/merge.ts';
import { strategicPatch } from '../patch/strategic.ts';
import { badRequest, notFound, Refusal, unsupportedMedia } from '../refusal.ts';
import { apiVersionOf } from '../resource.ts';

const jsonType = 'application/json-patch+json';
const mergeType = 'application/merge-patch+json';
const strategicType = 'application/strategic-merge-patch+json';
const applyType = 'application/apply-patch+yaml';

type PatchRequest = {
  readonly contentType: string;
  readonly body: string;
  readonly force: boolean;
};

/** Carries out any of the four kinds of patch. */
export function patchObject(objects: Objects, target: Target, request: PatchRequest): Written {
  const { contentType, body } = request;
  const { resource } = target;
  const accepted = [jsonType, mergeType, ...(resource.custom ? [] : [strategicType]), applyType];
  if (!accepted.includes(contentType)) throw unsupportedMedia(accepted);
  const patch = parseJson(body);
  if (patch === undefined) throw badRequest(unreadable(contentType));
  switch (contentType) {
    case applyType:
      return apply(objects, target, { config: object(patch), force: request.force });
    case jsonType:
      return objects.update(target, 'patch', (current) => patched(current, patch, target));
    case mergeType:
      return objects.update(target, 'patch', (current) =>
        object(mergePatch(current, object(patch))),
      );
    default:
      return objects.update(target, 'patch', (current) =>
        object(strategicPatch(current, object(patch), resource.schema)),
      );
  }
}

const unreadable = (contentType: string): string =>
  contentType === applyType
    ? 'error decoding YAML: this server reads apply configurations written as JSON only'
    : 'error decoding patch: it is not JSON';

function object(value: Json): JsonObject {
  if (!isObject(value)) throw badRequest('error decoding patch: it is not an object');
  return value;
}

function patched(current: JsonObject, patch: Json, { resource, name }: Target): JsonObject {
  const result = jsonPatch(current, patch);
  switch (result.kind) {
    case 'patched':
      return object(result.document);
    case 'malformed':
      throw badRequest(`error decoding patch: ${result.why}`);
    case 'inapplicable':
      throw new Refusal({
        code: 422,
        reason: 'Invalid',
        message: `the server rejected our request due to an error in our request: ${result.why}`,
        details: { name, kind: resource.plural },
      });
  }
}

function apply(
  objects: Objects,
  target: Target,
  { config, force }: { config: JsonObject; force: boolean },
): Written {
  const { resource, subresource, manager, name } = target;
  if (manager === '') {
    throw new Refusal({
      code: 422,
      reason: 'Invalid',
      message:
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      details: {
        causes: [
          {
            reason: 'FieldValueRequired',
            message: 'Required value: is required for apply patch',
            field: 'fieldManager',
          },
        ],
      },
    });
  }
  if (listAt(config, 'metadata', 'managedFields').length > 0) {
    throw badRequest('metadata.managedFields must be nil');
  }
  if (textAt(config, 'apiVersion') === '' || textAt(config, 'kind') === '') {
    throw badRequest('apiVersion and kind must be set in an apply configuration');
  }
  const wanted = withoutDefaults(config, target);
  const writer: Writer = {
    manager,
    operation: 'Apply',
    apiVersion: apiVersionOf(resource),
    subresource,
    time: timestamp(objects.now),
  };
  const how = {
    schema: resource.schema,
    writer,
    force,
    outside: outsideOf(subresource, resource.hasStatus),
  };
  if (objects.current(target) !== undefined) {
    return objects.update(target, 'apply', (current) => applyConfiguration(current, wanted, how));
  }
  if (subresource !== '') throw notFound(resource, name);
  if (textAt(config, 'metadata', 'resourceVersion') !== '') throw notFound(resource, name);
  return objects.create(target, applyConfiguration(undefined, wanted, how), 'apply');
}

/** Checks a configuration like any object, and leaves it with only what its author wrote. */
function withoutDefaults(config: JsonObject, target: Target): JsonObject {
  const checked = clone(config);
  decode(checked, target);
  return common(config, checked);
}

/** The fields of `written` that are still there in `checked`. */
function common(written: JsonObject, checked: JsonObject): JsonObject {
  const kept: JsonObject = {};
  for (const [key, value] of Object.entries(written)) {
    const other = checked[key];
    if (other === undefined) continue;
    if (isObject(value) && isObject(other)) kept[key] = common(value, other);
    else if (Array.isArray(value) && Array.isArray(other)) {
      kept[key] = value.map((item, index) => {
        const its = other[index];
        return isObject(item) && isObject(its) ? common(item, its) : clone(item);
      });
    } else kept[key] = clone(value);
  }
  return kept;
}
