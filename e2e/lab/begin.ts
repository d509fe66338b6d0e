import { integerBetween, oneOf } from '../../daemon/settings.ts';
import { explain } from '../../daemon/log.ts';
import { apis } from './cluster.ts';
import { missing } from './requirements.ts';
import { readVariables, type Said, yesOrNo } from './variables.ts';

const variables = {
  API: {
    fallback: 'embedded' as const,
    parse: oneOf(...apis),
    help: 'the API server: one in memory, or that of Kubernetes itself',
  },
  CUTS: {
    fallback: 10,
    parse: integerBetween(1, 10_000),
    help: 'how many power cuts are made in a row',
  },
  KEEP: {
    fallback: false,
    parse: yesOrNo,
    help: 'whether the lab stays afterwards, with a live view, until Ctrl-C',
  },
};

/** What was said to the main job; ends the process where that is faulty or the lab cannot run here. */
export async function begin(): Promise<Said<typeof variables>> {
  const reading = readVariables(variables);
  const lacking = await missing();
  if (lacking.length > 0) complain('The lab cannot run on this machine', lacking);
  if (reading.kind === 'faults') complain('make lab cannot start', reading.faults);
  if (reading.kind === 'faults' || lacking.length > 0) process.exit(2);
  return reading.said;
}

/** Ends the process: the hosts of the lab could not be opened. */
export function cannotOpen(error: unknown): never {
  complain('The lab cannot be opened', [explain(error)]);
  process.exit(2);
}

function complain(what: string, faults: readonly string[]): void {
  process.stderr.write(`${what}:\n${faults.map((fault) => `  ${fault}\n`).join('')}`);
}
