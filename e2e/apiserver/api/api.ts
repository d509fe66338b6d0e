import type { Clock } from '../../../daemon/clock.ts';
import type { FieldValidation } from '../decode.ts';
import { isObject, type JsonObject, parseJson, textAt } from '../json.ts';
import { asVersion } from '../conversion.ts';
import type { Preconditions } from '../metadata.ts';
import type { Objects, Target, Written } from '../objects.ts';
import { unsupportedValue } from '../field-fault.ts';
import { badRequest, invalidOptions, Refusal, unsupportedMedia } from '../refusal.ts';
import type { Registry } from '../registry.ts';
import { namespaceOf, type Resource } from '../resource.ts';
import type { Store } from '../store.ts';
import { type Answer, answer, answerText, json, refusalAnswer, type Stream } from './answer.ts';
import { documentAt } from './documents.ts';
import { renderingOf } from './media.ts';
import { patchObject } from './patch.ts';
import { checkListOptions } from './list-options.ts';
import { isSelected, readOne, readPage, readSelection } from './read.ts';
import { renderList, renderObject, type Show } from './render.ts';
import { isTrue, type Route, routeOf } from './route.ts';
import { openWatch, type WatchOptions } from './watch.ts';

export type ApiRequest = {
  readonly method: string;
  readonly url: URL;
  readonly header: (name: string) => string;
  readonly body: string;
};

export type Parts = Omit<WatchOptions, 'served'> & {
  readonly store: Store;
  readonly registry: Registry;
  readonly objects: Objects;
  readonly clock: Clock;
  /** Aborts when the kind is withdrawn. */
  readonly servedSignal: (resource: Resource) => AbortSignal;
};

type ResourceRoute = Extract<Route, { kind: 'resource' }>;

/** Answers one request; what the client did wrong comes back as a Status. */
export function respond(request: ApiRequest, route: Route, parts: Parts): Answer | Stream {
  try {
    if (route.kind === 'document') {
      if (request.method !== 'GET')
        throw new Refusal({
          code: 405,
          reason: 'MethodNotAllowed',
          message: 'the server does not allow this method on the requested resource',
        });
      return documentAt(route.path, request.header('accept'), parts.registry);
    }
    return respondAbout(request, route, parts);
  } catch (error) {
    if (error instanceof Refusal) return refusalAnswer(error);
    throw error;
  }
}

/** Finds the route, or the refusal that says why there is none. */
export function routeOrRefusal(request: ApiRequest, registry: Registry): Route | Refusal {
  try {
    return routeOf(request.method, request.url, registry);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

function respondAbout(request: ApiRequest, route: ResourceRoute, parts: Parts): Answer | Stream {
  const { store, objects } = parts;
  const query = request.url.searchParams;
  const show = showOf(request, route, parts);
  const warnings: string[] = [];
  const target = targetOf(request, route, (text) => warnings.push(text));
  switch (route.verb) {
    case 'get':
      return answerText(renderObject(readOne(store, route), show));
    case 'list': {
      checkListOptions(query, 'list');
      const page = readPage(store, readSelection(query, route), query);
      const metadata: JsonObject = { resourceVersion: String(page.revision) };
      if (page.next !== '') metadata['continue'] = page.next;
      if (page.remaining !== undefined) metadata['remainingItemCount'] = page.remaining;
      return answerText(renderList(page.objects, show, metadata));
    }
    case 'watch':
      checkListOptions(query, 'watch');
      return openWatch({ ...show, ...route }, query, {
        ...parts,
        served: parts.servedSignal(route.resource),
      });
    case 'create':
      return written(objects.create(target, bodyOf(request)), show, warnings);
    case 'update': {
      const body = bodyOf(request);
      const exists = objects.current(target) !== undefined;
      const creates = !exists && route.resource.createOnUpdate && route.subresource === '';
      return creates
        ? written(objects.create(target, body), show, warnings)
        : written(
            objects.update(target, 'put', () => body),
            show,
            warnings,
          );
    }
    case 'patch': {
      const contentType = mediaType(request);
      const force = isTrue(query.get('force') ?? 'false');
      const patch = { contentType, body: request.body, force };
      return written(patchObject(objects, target, patch), show, warnings);
    }
    case 'delete':
      return removed(target, request, show, objects);
    case 'deletecollection': {
      const page = readPage(store, readSelection(query, route), query);
      for (const object of page.objects) {
        const own = { ...target, namespace: namespaceOf(object), name: object.metadata.name };
        if (isSelected(object, readSelection(query, route))) objects.remove(own);
      }
      return {
        ...answerText(renderList(page.objects, show, { resourceVersion: String(store.revision) })),
        changed: page.objects.length > 0,
      };
    }
  }
}

function showOf(request: ApiRequest, { resource }: ResourceRoute, { clock }: Parts): Show {
  const rendering = renderingOf(request.header('accept'));
  if (rendering === undefined) {
    throw new Refusal({
      code: 406,
      reason: 'NotAcceptable',
      message: `only the following media types are accepted: ${json}`,
    });
  }
  const wanted = request.url.searchParams.get('includeObject');
  const tableObjects = wanted === 'None' || wanted === 'Object' ? wanted : 'Metadata';
  return { resource, rendering, tableObjects, now: () => clock.wall() };
}

function targetOf(request: ApiRequest, route: ResourceRoute, warn: (text: string) => void): Target {
  const query = request.url.searchParams;
  const [agent = ''] = request.header('user-agent').split('/');
  const applying = mediaType(request) === 'application/apply-patch+yaml';
  const given = query.get('fieldManager') ?? '';
  return {
    resource: route.resource,
    namespace: route.namespace,
    name: route.name,
    subresource: route.subresource,
    manager: given !== '' || applying ? given : agent || 'unknown',
    dryRun: query.getAll('dryRun').includes('All'),
    fieldValidation: fieldValidationOf(query.get('fieldValidation')),
    warn,
  };
}

function fieldValidationOf(text: string | null): FieldValidation {
  if (text === null || text === '') return 'Warn';
  if (text === 'Ignore' || text === 'Warn' || text === 'Strict') return text;
  throw badRequest(
    `fieldValidation: Unsupported value: ${JSON.stringify(text)}: supported values: "", "Ignore", "Strict", "Warn"`,
  );
}

const mediaType = (request: ApiRequest): string =>
  (request.header('content-type').split(';')[0] ?? '').trim();

function bodyOf(request: ApiRequest): JsonObject {
  const type = mediaType(request);
  if (type !== '' && type !== json) throw unsupportedMedia([json]);
  const body = parseJson(request.body);
  if (!isObject(body)) throw badRequest('the body of the request is not a JSON object');
  return body;
}

function written({ object, outcome }: Written, show: Show, warnings: readonly string[]): Answer {
  const whole = answerText(renderObject(object, show), outcome === 'created' ? 201 : 200);
  const headers = { Warning: warnings.map((text) => `299 - ${JSON.stringify(text)}`).join(', ') };
  return {
    ...whole,
    ...(warnings.length === 0 ? {} : { headers }),
    changed: outcome !== 'unchanged',
  };
}

const propagationPolicies = ['Foreground', 'Background', 'Orphan'];
/** Of these kinds who deletes is answered with the object; of the others, that it is gone. */
const tellsWhatWas = ['services', 'serviceaccounts', 'pods'];

function removed(target: Target, request: ApiRequest, show: Show, objects: Objects): Answer {
  const options = parseJson(request.body === '' ? '{}' : request.body);
  if (!isObject(options)) throw badRequest('the body of the request is not a DeleteOptions object');
  const policy = textAt(options, 'propagationPolicy');
  if (policy !== '' && !propagationPolicies.includes(policy)) {
    throw invalidOptions('DeleteOptions', [
      unsupportedValue('propagationPolicy', policy, propagationPolicies),
    ]);
  }
  const dryRun = target.dryRun || JSON.stringify(options['dryRun'] ?? []) === '["All"]';
  const preconditions: Preconditions = {
    uid: textAt(options, 'preconditions', 'uid'),
    resourceVersion: textAt(options, 'preconditions', 'resourceVersion'),
  };
  const { object, outcome } = objects.remove({ ...target, dryRun }, preconditions);
  if (outcome === 'marked' || tellsWhatWas.includes(target.resource.plural)) {
    return { ...answerText(renderObject(asVersion(object, show.resource), show)), changed: true };
  }
  const { resource } = target;
  const about = answer({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name: object.metadata.name,
      ...(resource.group === '' ? {} : { group: resource.group }),
      kind: resource.plural,
      uid: object.metadata.uid,
    },
  });
  return { ...about, changed: true };
}
