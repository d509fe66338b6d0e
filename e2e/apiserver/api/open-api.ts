import type { Json, JsonObject } from '../json.ts';
import { noSuchPath } from '../refusal.ts';
import type { Registry } from '../registry.ts';
import { apiVersionOf, type Resource } from '../resource.ts';
import { metadataSchema } from '../schema/metadata.ts';

/** Where a group's version is in URLs: `api/v1`, `apis/apps/v1`. */
const rootOf = (resource: Resource): string =>
  `${resource.group === '' ? 'api' : 'apis'}/${apiVersionOf(resource)}`;

export function openApiIndex(registry: Registry): JsonObject {
  const roots = [...new Set(registry.all.map(rootOf))];
  return {
    paths: Object.fromEntries(
      roots.map((root) => [root, { serverRelativeURL: `/openapi/v3/${root}` }]),
    ),
  };
}

/** The schemas and operations of one group's version, as kubectl reads them for explain and checks. */
export function openApiOf(registry: Registry, root: string): JsonObject {
  const resources = registry.all.filter((resource) => rootOf(resource) === root);
  if (resources.length === 0) throw noSuchPath();
  const paths = resources.flatMap((resource) => [
    [`/${collectionPath(resource)}`, operations(resource, ['get', 'post', 'delete'])] as const,
    [
      `/${collectionPath(resource)}/{name}`,
      operations(resource, ['get', 'put', 'patch', 'delete']),
    ] as const,
  ]);
  const schemas = resources.flatMap((resource) => [
    [schemaName(resource), kindSchema(resource)] as const,
    [`${schemaName(resource)}List`, listSchema(resource)] as const,
  ]);
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'v1.32.4' },
    paths: Object.fromEntries(paths),
    components: {
      schemas: { [metadataName]: plain(metadataSchema), ...Object.fromEntries(schemas) },
    },
  };
}

const collectionPath = (resource: Resource): string =>
  `${rootOf(resource)}/${resource.namespaced ? 'namespaces/{namespace}/' : ''}${resource.plural}`;

const metadataName = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** `io.metallb.v1beta1.IPAddressPool`: the group backwards, then version and kind. */
function schemaName({ group, version, kind, custom }: Resource): string {
  if (!custom)
    return `io.k8s.api.${group === '' ? 'core' : group.split('.')[0]}.${version}.${kind}`;
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`;
}

const groupVersionKind = ({ group, version, kind }: Resource, suffix = ''): JsonObject => ({
  group,
  version,
  kind: `${kind}${suffix}`,
});

function kindSchema(resource: Resource): JsonObject {
  return {
    ...plain({
      ...resource.schema,
      properties: {
        ...resource.schema.properties,
        metadata: {
          allOf: [{ $ref: `#/components/schemas/${metadataName}` }],
          description: metadataSchema.description,
        },
      },
    }),
    'x-kubernetes-group-version-kind': [groupVersionKind(resource)],
  };
}

const listSchema = (resource: Resource): JsonObject => ({
  type: 'object',
  description: `A list of ${resource.plural}.`,
  required: ['items'],
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    items: { type: 'array', items: { $ref: `#/components/schemas/${schemaName(resource)}` } },
  },
  'x-kubernetes-group-version-kind': [groupVersionKind(resource, 'List')],
});

/** Schemas are data already; this only says so to the compiler. */
const plain = (schema: object): JsonObject => JSON.parse(JSON.stringify(schema));

const actions: Readonly<Record<string, string>> = {
  get: 'get',
  post: 'post',
  put: 'put',
  patch: 'patch',
  delete: 'delete',
};

function operations(resource: Resource, methods: readonly string[]): JsonObject {
  const parameters = ['dryRun', 'fieldManager', 'fieldValidation'].map((name) => ({
    name,
    in: 'query',
    schema: { type: 'string', uniqueItems: true },
  }));
  const operation = (method: string): Json => ({
    operationId: `${method}${resource.kind}`,
    'x-kubernetes-action': actions[method] ?? method,
    'x-kubernetes-group-version-kind': groupVersionKind(resource),
    ...(['post', 'put', 'patch'].includes(method) ? { parameters } : {}),
    responses: { '200': { description: 'OK' } },
  });
  return Object.fromEntries(methods.map((method) => [method, operation(method)]));
}
