import { apiVersionOf, type Resource, type Stored } from './resource.ts';

const converted = new WeakMap<Stored, Map<string, Stored>>();

/** The object as another served version shows it: with no conversion but the version's name. */
export function asVersion(object: Stored, resource: Resource): Stored {
  const apiVersion = apiVersionOf(resource);
  if (object.apiVersion === apiVersion) return object;
  const known = converted.get(object) ?? new Map<string, Stored>();
  converted.set(object, known);
  const made = known.get(apiVersion) ?? { ...object, apiVersion };
  known.set(apiVersion, made);
  return made;
}
