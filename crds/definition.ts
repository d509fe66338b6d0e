import * as z from 'zod';
import type { ApiKind } from './names.ts';

/** A column of `kubectl get`; priority 1 shows it with `-o wide` only. */
type Column = {
  readonly name: string;
  readonly type: 'boolean' | 'date' | 'integer' | 'string';
  readonly jsonPath: string;
  readonly priority?: 1;
};

/** Everything from which the CustomResourceDefinition of one kind is made. */
export type Definition = {
  readonly kind: ApiKind;
  readonly description: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  readonly columns: readonly Column[];
};

/** A number of things, which the API server sets to 0 where a status does not mention it. */
export const count = (description: string) =>
  z.int().min(0).default(0).meta({ format: 'int64', description });

/** A list in which nothing may stand twice; the API server looks after that by itself. */
export const listOfDistinct = <T extends z.ZodString | z.ZodNumber>(item: T) =>
  z
    .array(item)
    .refine((items) => new Set(items).size === items.length, 'write every item once')
    .meta({ 'x-kubernetes-list-type': 'set' });
