import * as z from 'zod';
import { isRecord, nameType, quote } from './problem.ts';

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

const expression = z
  .object({
    key: z.string().describe('The label that is looked at.'),
    operator: z
      .enum(operators)
      .describe(
        'In: the label has one of the values. NotIn: it has none of them, or is not there. ' +
          'Exists: it is there. DoesNotExist: it is not.',
      ),
    values: z
      .array(z.string())
      .describe('For In and NotIn: the values, at least one. For the others: leave it out.')
      .optional(),
  })
  .meta({
    'x-kubernetes-validations': [
      {
        rule: "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
        message:
          'In and NotIn need at least one value; Exists and DoesNotExist take none, leave values out',
      },
    ],
  });

/** Kubernetes' LabelSelector as it is written. */
export const labelSelector = z
  .object({
    matchLabels: z
      .record(z.string(), z.string())
      .describe('Labels that must all be there, each with exactly this value.')
      .optional(),
    matchExpressions: z.array(expression).describe('Conditions that must all hold.').optional(),
  })
  // As in Kubernetes' own API: who applies a selector owns it whole.
  .meta({ 'x-kubernetes-map-type': 'atomic' });

/** One condition on one label; `matchLabels` are conditions of the form "In one value". */
export type Requirement = {
  readonly key: string;
  readonly operator: (typeof operators)[number];
  readonly values: readonly string[];
};

/** All of them must hold; none at all holds for everything. */
export type Selector = readonly Requirement[];

type Labels = Readonly<Record<string, string>>;

export const matches = (selector: Selector, labels: Labels | undefined = {}): boolean =>
  selector.every((requirement) => holds(requirement, labels));

function holds({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** The checked selector, or a text that says what is wrong with it; `at` is where it stands. */
export function parseSelector(written: unknown, at = 'selector'): Selector | string {
  if (!isRecord(written)) {
    return `${at} is ${nameType(written)}: write matchLabels, matchExpressions or both`;
  }
  const labels = parseLabels(written['matchLabels'], `${at}.matchLabels`);
  if (typeof labels === 'string') return labels;
  const expressions = parseExpressions(written['matchExpressions'], `${at}.matchExpressions`);
  return typeof expressions === 'string' ? expressions : [...labels, ...expressions];
}

function parseLabels(written: unknown, at: string): Selector | string {
  if (written === undefined) return [];
  if (!isRecord(written)) return `${at} is ${nameType(written)}: write label: value pairs`;
  const requirements: Requirement[] = [];
  for (const [key, value] of Object.entries(written)) {
    const problem = keyProblem(key, at) ?? valueProblem(value, `${at}[${quote(key)}]`);
    if (problem !== undefined) return problem;
    requirements.push({ key, operator: 'In', values: [String(value)] });
  }
  return requirements;
}

function parseExpressions(written: unknown, at: string): Selector | string {
  if (written === undefined) return [];
  if (!Array.isArray(written)) return `${at} is ${nameType(written)}: write a list`;
  const requirements: Requirement[] = [];
  for (const [index, expression] of written.entries()) {
    const requirement = parseExpression(expression, `${at}[${index}]`);
    if (typeof requirement === 'string') return requirement;
    requirements.push(requirement);
  }
  return requirements;
}

function parseExpression(written: unknown, at: string): Requirement | string {
  if (!isRecord(written)) return `${at} is ${nameType(written)}: write key, operator and values`;
  const { key, operator: word, values = [] } = written;
  const operator = operators.find((known) => known === word);
  if (typeof key !== 'string') return `${at}.key is ${nameType(key)}: write the name of a label`;
  const badKey = keyProblem(key, `${at}.key`);
  if (badKey !== undefined) return badKey;
  if (operator === undefined) {
    return `${at}.operator is ${nameType(word)}: write In, NotIn, Exists or DoesNotExist`;
  }
  if (!Array.isArray(values)) return `${at}.values is ${nameType(values)}: write a list`;
  const texts: string[] = [];
  for (const [index, value] of values.entries()) {
    const problem = valueProblem(value, `${at}.values[${index}]`);
    if (problem !== undefined) return problem;
    texts.push(String(value));
  }
  const wantsValues = operator === 'In' || operator === 'NotIn';
  if (wantsValues && texts.length === 0) {
    return `${at}.values is empty: ${operator} needs at least one value`;
  }
  if (!wantsValues && texts.length > 0) {
    return `${at}.values is given: ${operator} takes no values, leave them out`;
  }
  return { key, operator, values: texts };
}

// What Kubernetes itself allows as a label (apimachinery, util/validation): a name of at most 63
// characters after an optional DNS prefix of at most 253, and a value that may also be empty.
const labelName = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const dnsName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function keyProblem(key: string, at: string): string | undefined {
  const parts = key.split('/');
  const name = parts.pop() ?? '';
  const prefix = parts[0];
  const fits =
    labelName.test(name) &&
    parts.length <= 1 &&
    (prefix === undefined || (prefix.length <= 253 && dnsName.test(prefix)));
  return fits ? undefined : `${at} names ${quote(key)}, which cannot be the name of a label`;
}

function valueProblem(value: unknown, at: string): string | undefined {
  if (typeof value !== 'string') {
    return `${at} is ${nameType(value)}: label values are text, put it in quotes`;
  }
  if (value === '' || labelName.test(value)) return undefined;
  return (
    `${at} is ${quote(value)}, which no label can have: at most 63 letters, digits, ` +
    '"-", "_" and ".", beginning and ending with a letter or digit'
  );
}
