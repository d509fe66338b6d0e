import { flag, integerBetween, oneOf, readSettings, type Values } from '../../daemon/settings.ts';
import { apis } from './cluster.ts';
import { missing } from './requirements.ts';

const table = {
  api: {
    fallback: 'embedded' as const,
    parse: oneOf(...apis),
    help: 'the API server: our double, or Kubernetes itself (`make e2e` builds it)',
  },
  cuts: {
    fallback: 10,
    parse: integerBetween(1, 10_000),
    help: 'how many power cuts are made in a row',
  },
  keep: {
    fallback: false,
    parse: flag,
    help: 'stay afterwards, with a live view, until Ctrl-C',
  },
};

/** The settings of the main job; ends the process where they are faulty or the lab cannot run here. */
export async function begin(): Promise<Values<typeof table>> {
  const reading = readSettings('lab', table);
  if (reading.kind === 'help') {
    process.stdout.write(reading.text);
    process.exit(0);
  }
  const lacking = await missing();
  const faults = reading.kind === 'faults' ? reading.text : '';
  const reasons = lacking.map((fault) => `  ${fault}\n`).join('');
  if (reasons !== '') process.stderr.write(`The lab cannot run on this machine:\n${reasons}`);
  process.stderr.write(faults);
  if (reading.kind === 'faults' || lacking.length > 0) process.exit(2);
  return reading.values;
}
