import type { z } from 'zod';
import { isRecord, nameType, type Problem } from './problem.ts';
import { parseSelector, type Selector } from './selector.ts';
import { problemOf, type Written } from './written.ts';

// Read by hand beside the schema, because there is more to say about them than a type.
const readByHand = new Set<PropertyKey>([
  'addresses',
  'ipAddressPoolSelectors',
  'namespaceSelectors',
  'nodeSelectors',
  'preference',
  'selector',
  'serviceSelectors',
]);

/** What the schema says against the fields of a spec that nobody reads by hand. */
export function schemaProblems(about: Written, schema: z.ZodType): Problem[] {
  const result = schema.safeParse(about.spec);
  if (result.success) return [];
  return result.error.issues
    .filter(({ path }) => !path.some((key) => readByHand.has(key)))
    .map((issue) => {
      const where = `spec${issue.path.map(writePath).join('')}`;
      const found = nameType(issue.path.reduce(step, about.spec));
      return problemOf(about, 'InvalidField', `${where} is ${found}: ${remedy(issue)}`);
    });
}

function step(value: unknown, key: PropertyKey): unknown {
  if (Array.isArray(value)) return value[Number(key)];
  return isRecord(value) && Object.hasOwn(value, key) ? value[String(key)] : undefined;
}

const writePath = (key: PropertyKey): string =>
  typeof key === 'number' ? `[${key}]` : `.${String(key)}`;

function remedy(issue: z.core.$ZodIssue): string {
  if (issue.code === 'too_small') return `write ${issue.minimum} or more`;
  if (issue.code === 'too_big') return `write ${issue.maximum} or less`;
  return issue.code === 'invalid_type' ? `write ${nameExpected(issue.expected)}` : issue.message;
}

function nameExpected(type: string): string {
  switch (type) {
    case 'array':
      return 'a list';
    case 'boolean':
      return 'true or false';
    case 'int':
    case 'number':
      return 'a whole number';
    case 'object':
      return 'fields, indented under it';
    case 'string':
      return 'text';
    default:
      return `a ${type}`;
  }
}

/** A list of text; what is wrong with it is the schema's to say. */
export const readTexts = (written: unknown): string[] =>
  Array.isArray(written) ? written.filter((item) => typeof item === 'string') : [];

/** A list of selectors; what is wrong with any of them goes to `problems`. */
export function readSelectors(
  about: Written,
  written: unknown,
  at: string,
  problems: Problem[],
): Selector[] {
  if (written === undefined) return [];
  if (!Array.isArray(written)) {
    problems.push(
      problemOf(about, 'InvalidSelector', `${at} is ${nameType(written)}: write a list`),
    );
    return [];
  }
  const selectors: Selector[] = [];
  for (const [index, item] of written.entries()) {
    const selector = parseSelector(item, `${at}[${index}]`);
    if (typeof selector !== 'string') selectors.push(selector);
    else problems.push(problemOf(about, 'InvalidSelector', selector));
  }
  return selectors;
}
