import { asText, at, type Json, type JsonObject, objectAt } from './json.ts';
import { badRequest } from './refusal.ts';

export type Requirement =
  | { readonly kind: 'exists' | 'absent'; readonly key: string }
  | { readonly kind: 'in' | 'notin'; readonly key: string; readonly values: readonly string[] }
  | { readonly kind: 'above' | 'below'; readonly key: string; readonly bound: number };

const key = /^([a-z0-9A-Z][-a-zA-Z0-9.]*\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const label = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** `a=b,c!=d,e in (x,y),f notin (z),g,!h`; refused with 400 where it is none. */
export function parseLabelSelector(text: string): readonly Requirement[] {
  return splitOutsideBrackets(text)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseRequirement);
}

function parseRequirement(part: string): Requirement {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(part);
  if (set?.[1] !== undefined) {
    const values = (set[3] ?? '').split(',').map((value) => value.trim());
    return {
      kind: set[2] === 'in' ? 'in' : 'notin',
      key: checkedKey(set[1]),
      values: values.map(checkedLabel),
    };
  }
  const equality = /^([^=!<>\s]+)\s*(==|=|!=|>|<)\s*(\S*)$/.exec(part);
  if (equality?.[1] !== undefined) {
    const [, name, operator, value = ''] = equality;
    if (operator === '>' || operator === '<') {
      if (!/^-?\d+$/.test(value)) throw unparsable(part);
      return {
        kind: operator === '>' ? 'above' : 'below',
        key: checkedKey(name),
        bound: Number(value),
      };
    }
    return {
      kind: operator === '!=' ? 'notin' : 'in',
      key: checkedKey(name),
      values: [checkedLabel(value)],
    };
  }
  return part.startsWith('!')
    ? { kind: 'absent', key: checkedKey(part.slice(1).trim()) }
    : { kind: 'exists', key: checkedKey(part) };
}

function checkedKey(text: string): string {
  if (!key.test(text)) throw unparsable(text);
  return text;
}

function checkedLabel(text: string): string {
  if (!label.test(text)) throw unparsable(text);
  return text;
}

const unparsable = (part: string) =>
  badRequest(
    `unable to parse requirement: ${JSON.stringify(part)} is no label key, value or comparison`,
  );

function splitOutsideBrackets(text: string): string[] {
  return text.split(/,(?![^(]*\))/);
}

export function matchesLabels(object: JsonObject, selector: readonly Requirement[]): boolean {
  const labels = objectAt(object, 'metadata', 'labels');
  return selector.every((requirement) => holds(requirement, labels[requirement.key]));
}

function holds(requirement: Requirement, value: Json | undefined): boolean {
  switch (requirement.kind) {
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
    case 'in':
      return typeof value === 'string' && requirement.values.includes(value);
    case 'notin':
      return typeof value !== 'string' || !requirement.values.includes(value);
    case 'above':
      return /^-?\d+$/.test(asText(value)) && Number(value) > requirement.bound;
    case 'below':
      return /^-?\d+$/.test(asText(value)) && Number(value) < requirement.bound;
  }
}

export type FieldTerm = { readonly field: string; readonly value: string; readonly equal: boolean };

/** `spec.nodeName=n1,status.phase!=Failed`; only fields that the kind can be selected by. */
export function parseFieldSelector(text: string, fields: readonly string[]): readonly FieldTerm[] {
  return text
    .split(/(?<!\\),/)
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const term = /^([^=!]+?)\s*(==|=|!=)\s*(.*)$/.exec(part.trim());
      if (term?.[1] === undefined) {
        throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`);
      }
      const [, field, operator, value = ''] = term;
      if (!fields.includes(field)) throw badRequest(`field label not supported: ${field}`);
      return { field, value: value.replace(/\\([,=\\])/g, '$1'), equal: operator !== '!=' };
    });
}

export function matchesFields(object: JsonObject, terms: readonly FieldTerm[]): boolean {
  return terms.every(({ field, value, equal }) => (fieldText(object, field) === value) === equal);
}

/** Selectable fields are text, numbers or booleans; one that is missing reads as its Go zero. */
function fieldText(object: JsonObject, field: string): string {
  const value = at(object, ...field.split('.'));
  if (value === undefined || value === null) return field === 'spec.unschedulable' ? 'false' : '';
  return asText(value);
}
