import type { Json, JsonObject } from '../json.ts';
import { noSuchPath } from '../refusal.ts';
import type { Registry } from '../registry.ts';
import { apiVersionOf, type Resource } from '../resource.ts';
import { type Answer, answer } from './answer.ts';
import { readAccept } from './media.ts';
import { openApiIndex, openApiOf } from './open-api.ts';

/** The release whose behaviour this server follows. */
const release = { major: '1', minor: '32', gitVersion: 'v1.32.4' };

const readVerbs = ['get', 'list', 'watch'];
const verbs = ['create', 'delete', 'deletecollection', ...readVerbs, 'patch', 'update'];
const statusVerbs = ['get', 'patch', 'update'];

/** Everything that is no object: versions, discovery, schemas, health. */
export function documentAt(path: string, accept: string, registry: Registry): Answer {
  const steps = path.split('/').slice(1);
  const aggregated = readAccept(accept)[0];
  switch (steps[0]) {
    case 'healthz':
    case 'livez':
    case 'readyz':
      return { kind: 'answer', code: 200, body: 'ok', contentType: 'text/plain; charset=utf-8' };
    case 'version':
      return answer({
        ...release,
        gitCommit: '',
        gitTreeState: 'clean',
        buildDate: '1970-01-01T00:00:00Z',
        goVersion: '',
        compiler: 'node',
        platform: `${process.platform}/${process.arch}`,
      });
    case '':
    case undefined:
      return answer({ paths: ['/api', '/apis', '/healthz', '/openapi/v3', '/version'] });
    case 'api':
    case 'apis':
      if (steps.length === 1 && aggregated?.parameters.get('as') === 'APIGroupDiscoveryList') {
        const version = aggregated.parameters.get('v') ?? 'v2';
        if (version === 'v2' || version === 'v2beta1') {
          return aggregatedDiscovery(registry, steps[0] === 'api', version);
        }
      }
      return answer(discovery(steps, registry));
    case 'openapi':
      if (steps[1] === 'v3' && steps.length === 2) return answer(openApiIndex(registry));
      if (steps[1] === 'v3') return answer(openApiOf(registry, steps.slice(2).join('/')));
      throw noSuchPath();
    default:
      throw noSuchPath();
  }
}

function aggregatedDiscovery(registry: Registry, core: boolean, version: string): Answer {
  const groups = [...groupsOf(registry)].filter(([group]) => (group === '') === core);
  const body: JsonObject = {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(([group, versions]) => ({
      metadata: { ...(group === '' ? {} : { name: group }), creationTimestamp: null },
      versions: [...versions].map(([name, resources]) => ({
        version: name,
        resources: resources.map(discoveredResource),
        freshness: 'Current',
      })),
    })),
  };
  return {
    ...answer(body),
    contentType: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
  };
}

function discoveredResource(resource: Resource): Json {
  const { group, version, kind, namespaced, plural, singular, shortNames, categories } = resource;
  const responseKind = { group, version, kind };
  return {
    resource: plural,
    responseKind,
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames: [...shortNames] }),
    ...(categories.length === 0 ? {} : { categories: [...categories] }),
    ...(resource.hasStatus
      ? { subresources: [{ subresource: 'status', responseKind, verbs: statusVerbs }] }
      : {}),
  };
}

/** Group → version → resources, in the order of registration. */
function groupsOf(registry: Registry): Map<string, Map<string, Resource[]>> {
  const groups = new Map<string, Map<string, Resource[]>>();
  for (const resource of registry.all) {
    const versions = groups.get(resource.group) ?? new Map<string, Resource[]>();
    groups.set(resource.group, versions);
    versions.set(resource.version, [...(versions.get(resource.version) ?? []), resource]);
  }
  return groups;
}

function discovery(steps: readonly string[], registry: Registry): JsonObject {
  const [root, group = '', version] = steps;
  const groups = groupsOf(registry);
  if (root === 'api') {
    if (group === '')
      return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
    return resourceList(groups.get('')?.get(group));
  }
  if (group === '') {
    const named = [...groups.keys()].filter((name) => name !== '');
    return {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: named.map((name) => groupOf(groups, name)),
    };
  }
  if (version === undefined)
    return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(groups, group) };
  return resourceList(groups.get(group)?.get(version));
}

function groupOf(groups: Map<string, Map<string, Resource[]>>, name: string): JsonObject {
  const versions = [...(groups.get(name)?.keys() ?? [])].map((version) => ({
    groupVersion: `${name}/${version}`,
    version,
  }));
  const [preferredVersion] = versions;
  if (preferredVersion === undefined) throw noSuchPath();
  return { name, versions, preferredVersion };
}

function resourceList(resources: readonly Resource[] | undefined): JsonObject {
  const [first] = resources ?? [];
  if (resources === undefined || first === undefined) throw noSuchPath();
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf(first),
    resources: resources.flatMap((resource) => [
      {
        name: resource.plural,
        singularName: resource.singular,
        namespaced: resource.namespaced,
        kind: resource.kind,
        verbs,
        ...(resource.shortNames.length === 0 ? {} : { shortNames: [...resource.shortNames] }),
        ...(resource.categories.length === 0 ? {} : { categories: [...resource.categories] }),
      },
      ...(resource.hasStatus
        ? [
            {
              name: `${resource.plural}/status`,
              singularName: '',
              namespaced: resource.namespaced,
              kind: resource.kind,
              verbs: statusVerbs,
            },
          ]
        : []),
    ]),
  };
}
