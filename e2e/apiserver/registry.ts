import { collectionOf, type Resource } from './resource.ts';

const pathOf = (group: string, version: string, plural: string) => `${group}/${version}/${plural}`;

/** What is served right now. Custom resources come and go with their definitions. */
export class Registry {
  readonly #resources = new Map<string, Resource>();

  find(group: string, version: string, plural: string): Resource | undefined {
    return this.#resources.get(pathOf(group, version, plural));
  }

  /** In the order of registration: discovery shows them so, and kubectl prefers the first. */
  get all(): readonly Resource[] {
    return [...this.#resources.values()];
  }

  /** One resource per collection of the store, whatever versions it is served in. */
  get collections(): readonly Resource[] {
    return [...new Map(this.all.map((resource) => [collectionOf(resource), resource])).values()];
  }

  add(resource: Resource): void {
    this.#resources.set(pathOf(resource.group, resource.version, resource.plural), resource);
  }

  /** Stops serving all versions of it. */
  drop(group: string, plural: string): void {
    for (const [path, resource] of this.#resources) {
      if (resource.group === group && resource.plural === plural) this.#resources.delete(path);
    }
  }
}
