import { type Cause, forbiddenValue, unsupportedValue } from '../field-fault.ts';
import { invalidOptions } from '../refusal.ts';
import { isTrue } from './route.ts';

const matches = ['Exact', 'NotOlderThan'];

/** Throws the refusal where the parts of a query contradict each other. */
export function checkListOptions(query: URLSearchParams, verb: 'list' | 'watch'): void {
  const match = query.get('resourceVersionMatch') ?? '';
  const version = query.get('resourceVersion') ?? '';
  const initial = query.has('sendInitialEvents');
  const faults: Cause[] = [];
  const forbid = (field: string, why: string): void => {
    faults.push(forbiddenValue(field, `${field} is forbidden ${why}`));
  };
  if (match !== '' && !matches.includes(match))
    faults.push(unsupportedValue('resourceVersionMatch', match, matches));
  if (verb === 'list') {
    if (initial) forbid('sendInitialEvents', 'for list');
    if (match !== '' && version === '')
      forbid('resourceVersionMatch', 'unless resourceVersion is provided');
    if (match === 'Exact' && version === '0')
      forbid('resourceVersionMatch', 'with resourceVersion 0');
    if (match !== '' && query.has('continue'))
      forbid('resourceVersionMatch', 'when continue is provided');
  } else {
    if (match !== '' && !initial)
      forbid('resourceVersionMatch', 'for watch unless sendInitialEvents is provided');
    if (isTrue(query.get('sendInitialEvents') ?? 'false') && match !== 'NotOlderThan')
      forbid('sendInitialEvents', 'unless resourceVersionMatch is NotOlderThan');
  }
  if (faults.length > 0) throw invalidOptions('ListOptions', faults);
}
