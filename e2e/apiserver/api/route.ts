import { methodNotAllowed, noSuchPath } from '../refusal.ts';
import type { Registry } from '../registry.ts';
import type { Resource } from '../resource.ts';

export type Verb =
  | 'get'
  | 'list'
  | 'watch'
  | 'create'
  | 'update'
  | 'patch'
  | 'delete'
  | 'deletecollection';

/** What a request is about. */
export type Route =
  | { readonly kind: 'document'; readonly path: string }
  | {
      readonly kind: 'resource';
      readonly verb: Verb;
      readonly resource: Resource;
      readonly namespace: string;
      readonly name: string;
      readonly subresource: '' | 'status';
    };

/** Finds what a path means; 404 for kinds that are not served. */
export function routeOf(method: string, url: URL, registry: Registry): Route {
  const steps = url.pathname
    .split('/')
    .filter((step) => step !== '')
    .map(decoded);
  const [root, ...rest] = steps;
  const legacy = root === 'api';
  if ((!legacy && root !== 'apis') || rest.length < (legacy ? 2 : 3)) {
    return { kind: 'document', path: `/${steps.join('/')}` };
  }
  const [group, version = '', ...place] = legacy ? ['', ...rest] : rest;
  const watchPrefix = place[0] === 'watch';
  const { namespace, plural, name, subresource } = placeOf(watchPrefix ? place.slice(1) : place);
  const resource = registry.find(group ?? '', version, plural);
  if (resource === undefined) throw noSuchPath();
  if (!resource.namespaced && namespace !== '') throw noSuchPath();
  if (subresource !== '' && (subresource !== 'status' || !resource.hasStatus)) throw noSuchPath();
  const watching = watchPrefix || isTrue(url.searchParams.get('watch'));
  const verb = verbOf(method, name, watching);
  // A namespaced object can only be reached through its namespace.
  const needsNamespace = name !== '' || verb === 'create' || verb === 'deletecollection';
  if (resource.namespaced && namespace === '' && needsNamespace) throw methodNotAllowed();
  if (subresource === 'status' && (verb === 'delete' || verb === 'create'))
    throw methodNotAllowed();
  return {
    kind: 'resource',
    verb,
    resource,
    namespace,
    name,
    subresource: subresource === 'status' ? 'status' : '',
  };
}

export const isTrue = (text: string | null): boolean =>
  text === 'true' || text === '1' || text === '';

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    throw noSuchPath();
  }
}

type Place = { namespace: string; plural: string; name: string; subresource: string };

function placeOf(steps: readonly string[]): Place {
  const inNamespace = steps[0] === 'namespaces' && steps.length > 2 && steps[2] !== 'status';
  const [namespace = ''] = inNamespace ? steps.slice(1) : [];
  const [plural = '', name = '', subresource = '', ...more] = inNamespace ? steps.slice(2) : steps;
  if (more.length > 0) throw noSuchPath();
  return { namespace, plural, name, subresource };
}

function verbOf(method: string, name: string, watching: boolean): Verb {
  switch (method) {
    case 'GET':
      return watching ? 'watch' : name === '' ? 'list' : 'get';
    case 'POST':
      if (name === '') return 'create';
      break;
    case 'PUT':
      if (name !== '') return 'update';
      break;
    case 'PATCH':
      if (name !== '') return 'patch';
      break;
    case 'DELETE':
      return name === '' ? 'deletecollection' : 'delete';
  }
  throw methodNotAllowed();
}
