import { invalidValue } from './field-fault.ts';
import { asText, type JsonObject, listAt, objectAt } from './json.ts';
import type { Cause } from './field-fault.ts';

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;

/** What is wrong with a name by its rule; undefined when nothing is. */
type Rule = (name: string) => string | undefined;

const rule = (pattern: string, longest: number, why: string): Rule => {
  const whole = new RegExp(`^(${pattern})$`);
  return (name) => {
    if (name.length > longest) return `must be no more than ${longest} bytes`;
    return whole.test(name) ? undefined : `${why}, regex used for validation is '${pattern}')`;
  };
};

/** RFC 1123 subdomain: most kinds. */
export const subdomainFault = rule(
  subdomain,
  253,
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com'",
);
/** RFC 1123 label: namespaces. */
export const labelFault = rule(
  label,
  63,
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc'",
);
/** Whatever fits in a URL path: RBAC kinds. */
export const segmentFault: Rule = (name) =>
  name === '.' || name === '..' || /[/%]/.test(name)
    ? `may not be '.' or '..' and may not contain '/' or '%'`
    : undefined;

const namePart = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const keyPattern = new RegExp(`^(${subdomain}/)?${namePart}$`);
const valuePattern = new RegExp(`^(${namePart})?$`);
const keyFault = `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${namePart}')`;
const valueFault = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(${namePart})?')`;
/** All annotations of an object together. */
const annotationBytes = 256 * 1024;

/** Faults of labels, annotations and finalizers, which are alike for all kinds. */
export function metadataFaults(draft: JsonObject): Cause[] {
  const faults: Cause[] = [];
  const labels = objectAt(draft, 'metadata', 'labels');
  for (const [key, value] of Object.entries(labels)) {
    faults.push(...keyFaults('metadata.labels', key));
    const text = asText(value);
    if (text.length > 63) {
      faults.push(invalidValue('metadata.labels', value, 'must be no more than 63 bytes'));
    } else if (!valuePattern.test(text)) {
      faults.push(invalidValue('metadata.labels', value, valueFault));
    }
  }
  const annotations = objectAt(draft, 'metadata', 'annotations');
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    faults.push(...keyFaults('metadata.annotations', key.toLowerCase()));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(asText(value));
  }
  if (bytes > annotationBytes) {
    faults.push({
      reason: 'FieldValueTooLong',
      message: `Too long: may not be more than ${annotationBytes} bytes`,
      field: 'metadata.annotations',
    });
  }
  return faults;
}

const plainFinalizers = ['orphan', 'foregroundDeletion', 'kubernetes'];

/** Whose a finalizer is has to be seen from it. Custom kinds are only warned. */
export function finalizerFaults(draft: JsonObject): Cause[] {
  return listAt(draft, 'metadata', 'finalizers').flatMap((item, index) => {
    const name = asText(item);
    if (name.includes('/') || plainFinalizers.includes(name)) return [];
    const why = 'name is neither a standard finalizer name nor is it fully qualified';
    return [invalidValue(`metadata.finalizers[${index}]`, item, why)];
  });
}

export function keyFaults(field: string, key: string): Cause[] {
  const name = key.slice(key.lastIndexOf('/') + 1);
  if (name.length > 63)
    return [invalidValue(field, key, 'name part must be no more than 63 bytes')];
  return keyPattern.test(key) ? [] : [invalidValue(field, key, keyFault)];
}

/** No vowels and nothing that is easily misread, as the real server's generated names. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

export function generatedName(prefix: string, random: () => number): string {
  const letters = Array.from({ length: 5 }, () => alphabet[Math.floor(random() * alphabet.length)]);
  return `${prefix.slice(0, 58)}${letters.join('')}`;
}

/** A version 4 UUID from the given randomness. */
export function freshUid(random: () => number): string {
  const hex = Array.from({ length: 32 }, (_, index) => {
    if (index === 12) return '4';
    const digit = Math.floor(random() * 16);
    return (index === 16 ? 8 + (digit % 4) : digit).toString(16);
  }).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
