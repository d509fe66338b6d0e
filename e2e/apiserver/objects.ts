import type { Clock } from '../../daemon/clock.ts';
import { trackUpdate } from './apply/managed-fields.ts';
import { asVersion } from './conversion.ts';
import { decode, type FieldValidation } from './decode.ts';
import { type Manner, restrict } from './endpoint.ts';
import { clone, ensureObject, type JsonObject, listAt, same, textAt } from './json.ts';
import {
  checkPlace,
  checkPreconditions,
  checkVersion,
  dropEmptyMaps,
  identityFaults,
  keepIdentity,
  type Preconditions,
  stampNew,
  timestamp,
} from './metadata.ts';
import { type Cause, invalidValue } from './field-fault.ts';
import { alreadyExists, forbidden, invalid, notFound, Refusal } from './refusal.ts';
import type { Registry } from './registry.ts';
import {
  apiVersionOf,
  collectionOf,
  keyOf,
  namespaceOf,
  type Resource,
  type Stored,
} from './resource.ts';
import { validate } from './schema/validate.ts';
import type { Store } from './store.ts';

/** What a write is about and how it is meant. */
export type Target = {
  readonly resource: Resource;
  /** '' for cluster-scoped kinds. */
  readonly namespace: string;
  /** '' when a create leaves it to the body. */
  readonly name: string;
  readonly subresource: '' | 'status';
  readonly manager: string;
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  readonly warn: (text: string) => void;
};

export type Written = {
  readonly object: Stored;
  readonly outcome: 'created' | 'changed' | 'unchanged';
};
type Removed = { readonly object: Stored; readonly outcome: 'removed' | 'marked' };

/** What a patch makes of an object and is none any more is the patch's fault, not the request's. */
function decodePatched(draft: JsonObject, target: Target): void {
  try {
    decode(draft, target);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 400 || target.resource.custom) throw error;
    throw invalid(target.resource, '', [invalidValue('patch', '', error.message)]);
  }
}

const namespaces = { group: '', plural: 'namespaces' };

/** The write path: every change of the store goes through here. Synchronous, so nothing interleaves. */
export class Objects {
  readonly #store: Store;
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #random: () => number;

  constructor(parts: { store: Store; registry: Registry; clock: Clock; random: () => number }) {
    this.#store = parts.store;
    this.#registry = parts.registry;
    this.#clock = parts.clock;
    this.#random = parts.random;
  }

  get now(): Date {
    return this.#clock.wall();
  }

  current({ resource, namespace, name }: Pick<Target, 'resource' | 'namespace' | 'name'>) {
    const stored = this.#store.get(collectionOf(resource), keyOf(namespace, name));
    return stored === undefined ? undefined : asVersion(stored, resource);
  }

  create(target: Target, body: JsonObject, manner: Manner = 'put'): Written {
    const { resource, namespace } = target;
    const draft = clone(body);
    checkPlace(draft, target);
    decode(draft, target);
    this.#checkNamespace(target, textAt(draft, 'metadata', 'name'));
    if (manner !== 'apply') delete ensureObject(draft, 'metadata')['managedFields'];
    stampNew(draft, { resource, now: this.now, random: this.#random });
    dropEmptyMaps(ensureObject(draft, 'metadata'));
    const name = textAt(draft, 'metadata', 'name');
    if (this.current({ resource, namespace, name }) !== undefined)
      throw alreadyExists(resource, name);
    if (resource.hasStatus) delete draft['status'];
    resource.strategy.defaults?.(draft);
    if (manner !== 'apply') this.#track(target, undefined, draft);
    return { object: this.#commit(target, draft, undefined), outcome: 'created' };
  }

  /** `change` makes the new state out of (a copy of) the current one. */
  update(target: Target, manner: Manner, change: (current: JsonObject) => JsonObject): Written {
    const { resource, name, subresource } = target;
    const current = this.current(target);
    if (current === undefined) throw notFound(resource, name);
    let draft = change(clone(current));
    checkPlace(draft, target);
    if (manner === 'patch') decodePatched(draft, target);
    else decode(draft, target);
    checkVersion(draft, current, { resource, isPatch: manner !== 'put' });
    draft = restrict(draft, current, { resource, subresource, manner });
    keepIdentity(draft, current, resource);
    resource.strategy.defaults?.(draft);
    if (same(draft, current)) return { object: current, outcome: 'unchanged' };
    const object = this.#commit(target, draft, current, manner);
    return { object, outcome: object === current ? 'unchanged' : 'changed' };
  }

  /** Gone at once, or marked and gone with its last finalizer. */
  remove(target: Target, preconditions?: Preconditions): Removed {
    const { resource, namespace, name, dryRun } = target;
    const current = this.current(target);
    if (current === undefined) throw notFound(resource, name);
    checkPreconditions(resource, current, preconditions);
    const isNamespace = same(collectionOf(resource), collectionOf(namespaces));
    const held = listAt(current, 'metadata', 'finalizers').length > 0 || isNamespace;
    if (dryRun) return { object: current, outcome: held ? 'marked' : 'removed' };
    if (!held) return { object: this.#drop(resource, keyOf(namespace, name)), outcome: 'removed' };
    const marked =
      current.metadata['deletionTimestamp'] === undefined ? this.#mark(resource, current) : current;
    if (!isNamespace) return { object: marked, outcome: 'marked' };
    this.#empty(name);
    return { object: marked, outcome: 'marked' };
  }

  /** Removes every object of a kind, as when its definition goes. */
  removeAll(resource: Resource): void {
    for (const object of Array.from(this.#store.values(collectionOf(resource), ''))) {
      this.#drop(resource, keyOf(namespaceOf(object), object.metadata.name));
    }
  }

  #checkNamespace({ resource, namespace }: Target, name: string): void {
    if (!resource.namespaced) return;
    const found = this.#store.get(collectionOf(namespaces), keyOf('', namespace));
    if (found === undefined) {
      const [known] = this.#registry.all.filter(
        ({ plural, group }) => group === '' && plural === 'namespaces',
      );
      throw notFound(known ?? resource, namespace);
    }
    if (found.metadata['deletionTimestamp'] !== undefined) {
      throw forbidden(
        resource,
        name,
        `unable to create new content in namespace ${namespace} because it is being terminated`,
      );
    }
  }

  #commit(
    target: Target,
    draft: JsonObject,
    before: Stored | undefined,
    manner: Manner = 'apply',
  ): Stored {
    const { resource, dryRun, subresource } = target;
    const { strategy } = resource;
    const name = textAt(draft, 'metadata', 'name');
    try {
      if (subresource === 'status') strategy.prepareStatus?.(draft);
      else strategy.prepare?.(draft, before);
      const faults = this.#faults(target, draft, before);
      if (faults.length > 0) throw invalid(resource, name, faults);
    } catch (error) {
      strategy.discard?.(draft, before);
      throw error;
    }
    if (before !== undefined) {
      if (same(draft, before)) return before;
      if (manner !== 'apply') this.#track(target, before, draft);
    }
    if (dryRun) {
      strategy.discard?.(draft, before);
      // It has been checked like any other; only the store never sees it.
      return draft as Stored;
    }
    const leaving =
      before?.metadata['deletionTimestamp'] !== undefined &&
      listAt(draft, 'metadata', 'finalizers').length === 0 &&
      resource.plural !== 'namespaces';
    const object = this.#store.put(collectionOf(resource), draft);
    strategy.stored?.(object, before);
    return leaving ? this.#drop(resource, keyOf(namespaceOf(object), name)) : object;
  }

  #faults(
    { resource, subresource }: Target,
    draft: JsonObject,
    before: Stored | undefined,
  ): Cause[] {
    const { strategy } = resource;
    const own =
      subresource === 'status'
        ? strategy.validateStatus?.(draft)
        : strategy.validate?.(draft, before);
    return [
      ...identityFaults(draft, before, resource),
      ...validate(draft, resource.schema),
      ...(own ?? []),
    ];
  }

  #track(
    { resource, manager, subresource }: Target,
    before: Stored | undefined,
    draft: JsonObject,
  ) {
    trackUpdate(before, draft, {
      schema: resource.schema,
      writer: {
        manager,
        operation: 'Update',
        apiVersion: apiVersionOf(resource),
        subresource,
        time: timestamp(this.now),
      },
    });
  }

  #mark(resource: Resource, current: Stored): Stored {
    const draft = clone(current);
    const metadata = ensureObject(draft, 'metadata');
    metadata['deletionTimestamp'] = timestamp(this.now);
    metadata['deletionGracePeriodSeconds'] = 0;
    const { generation } = metadata;
    if (typeof generation === 'number') metadata['generation'] = generation + 1;
    if (resource.plural === 'namespaces') ensureObject(draft, 'status')['phase'] = 'Terminating';
    return asVersion(this.#store.put(collectionOf(resource), draft), resource);
  }

  #drop(resource: Resource, key: string): Stored {
    const gone = this.#store.remove(collectionOf(resource), key);
    if (gone === undefined)
      throw new Error(`removing ${resource.plural} ${key}, which is not there`);
    resource.strategy.removed?.(gone);
    const namespace = namespaceOf(gone);
    if (namespace !== '') this.#finishNamespace(namespace);
    return asVersion(gone, resource);
  }

  /** The namespace controller's work: a namespace goes when all that is in it has gone. */
  #empty(namespace: string): void {
    for (const resource of this.#registry.collections.filter(({ namespaced }) => namespaced)) {
      for (const object of Array.from(this.#store.values(collectionOf(resource), namespace))) {
        if (listAt(object, 'metadata', 'finalizers').length === 0) {
          this.#drop(resource, keyOf(namespace, object.metadata.name));
        } else if (object.metadata['deletionTimestamp'] === undefined) {
          this.#mark(resource, object);
        }
      }
    }
    this.#finishNamespace(namespace);
  }

  #finishNamespace(namespace: string): void {
    const key = keyOf('', namespace);
    const found = this.#store.get(collectionOf(namespaces), key);
    if (found?.metadata['deletionTimestamp'] === undefined) return;
    const inhabited = this.#registry.collections.some(
      (resource) =>
        resource.namespaced && !this.#store.values(collectionOf(resource), namespace).next().done,
    );
    if (!inhabited) this.#store.remove(collectionOf(namespaces), key);
  }
}
