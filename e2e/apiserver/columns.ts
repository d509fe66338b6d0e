import { type Json, type JsonObject, textAt } from './json.ts';
import type { Column, View } from './resource.ts';

const priority = (wide: boolean): 0 | 1 => (wide ? 1 : 0);

export const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name of the object',
  priority: 0,
  cell: (object) => textAt(object, 'metadata', 'name'),
};

export const ageColumn: Column = {
  name: 'Age',
  type: 'string',
  description: 'Time since the object was created',
  priority: 0,
  cell: (object, { now }) => since(textAt(object, 'metadata', 'creationTimestamp'), now),
};

type Cell = (object: JsonObject, view: View) => Json;

/** A column; shown with `-o wide` only when `wide` is set. */
export const column = (name: string, cell: Cell, wide = false): Column => ({
  name,
  type: 'string',
  description: name,
  priority: priority(wide),
  cell,
});

export const field = (name: string, path: readonly string[], wide = false): Column =>
  column(name, (object) => textAt(object, ...path), wide);

export const orNone = (text: string): string => (text === '' ? '<none>' : text);

/** Age of a timestamp, `<unknown>` when there is none. */
export function since(timestamp: string, now: Date): string {
  const start = Date.parse(timestamp);
  return Number.isNaN(start) ? '<unknown>' : shortDuration((now.getTime() - start) / 1000);
}

const units = [
  { letter: 's', seconds: 1 },
  { letter: 'm', seconds: 60 },
  { letter: 'h', seconds: 3600 },
  { letter: 'd', seconds: 86_400 },
  { letter: 'y', seconds: 365 * 86_400 },
] as const;

/** As kubectl shows ages: the finer unit is added only while the number before it is small. */
const steps: readonly {
  readonly below: number;
  readonly unit: 0 | 1 | 2 | 3 | 4;
  readonly rest: boolean;
}[] = [
  { below: 120, unit: 0, rest: false },
  { below: 600, unit: 1, rest: true },
  { below: 3 * 3600, unit: 1, rest: false },
  { below: 8 * 3600, unit: 2, rest: true },
  { below: 48 * 3600, unit: 2, rest: false },
  { below: 8 * 86_400, unit: 3, rest: true },
  { below: 2 * 365 * 86_400, unit: 3, rest: false },
  { below: 8 * 365 * 86_400, unit: 4, rest: true },
  { below: Infinity, unit: 4, rest: false },
];

function shortDuration(seconds: number): string {
  if (seconds < -1) return '<invalid>';
  const whole = Math.max(0, Math.floor(seconds));
  const step = steps.find(({ below }) => whole < below);
  if (step === undefined) return '<unknown>';
  const unit = units[step.unit];
  const main = `${Math.floor(whole / unit.seconds)}${unit.letter}`;
  const finer = units[step.unit - 1];
  if (!step.rest || finer === undefined) return main;
  // A year is followed by days, every other unit by the next finer one.
  const rest = Math.floor((whole % unit.seconds) / finer.seconds);
  return rest === 0 ? main : `${main}${rest}${finer.letter}`;
}
