import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  fileThatExists,
  flag,
  integerBetween,
  listOf,
  oneOf,
  readSettings,
  text,
  type Table,
} from './settings.ts';

const table = {
  nodeName: { env: 'NODE_NAME', parse: text, help: 'the node this runs on' },
  probePort: {
    env: 'PROBE_PORT',
    fallback: 7473,
    parse: integerBetween(0, 65535),
    help: 'where health is asked, 0 for nowhere',
  },
  links: { fallback: [], parse: listOf(text), help: 'the links that may announce' },
  mode: { fallback: 'fast', parse: oneOf('fast', 'safe'), help: 'how to act' },
  dryRun: { fallback: false, parse: flag, help: 'decide, but write nothing' },
  caFile: { optional: true, parse: fileThatExists, help: 'who signs the API server' },
} satisfies Table;

const read = (argv: string[], env: Record<string, string> = {}) =>
  readSettings('speaker', table, argv, env);

test('what is not said has its fallback; what is optional may be missing', () => {
  assert.deepEqual(read(['--node-name', 'a']), {
    kind: 'settings',
    values: {
      nodeName: 'a',
      probePort: 7473,
      links: [],
      mode: 'fast',
      dryRun: false,
      caFile: undefined,
    },
  });
});

test('values are typed by their parsers', () => {
  const reading = read(['--node-name=a=b', '--links', 'eth0, eth1', '--dry-run', '--mode=safe']);
  assert(reading.kind === 'settings');
  const { nodeName, links, mode, dryRun, caFile, probePort } = reading.values;
  const typed: [string, readonly string[], 'fast' | 'safe', boolean, number, string | undefined] = [
    ...([nodeName, links, mode] as const),
    ...([dryRun, probePort, caFile] as const),
  ];
  assert.deepEqual(typed, ['a=b', ['eth0', 'eth1'], 'safe', true, 7473, undefined]);
});

test('the environment says it where no flag does; an empty variable says nothing', () => {
  const env = { NODE_NAME: 'b', PROBE_PORT: '' };
  const reading = read([], env);
  assert(reading.kind === 'settings');
  assert.deepEqual([reading.values.nodeName, reading.values.probePort], ['b', 7473]);
  const flagged = read(['--node-name=c', '--dry-run=false'], env);
  assert(flagged.kind === 'settings');
  assert.equal(flagged.values.nodeName, 'c');
});

test('all faults are told at once, each with its place, its value and what is expected', () => {
  const said =
    '--probe-port abc --mode=slow --colour red --dry-run=maybe stray ' +
    '--links=eth0 --links=eth1,, --ca-file=/nowhere --node-name';
  assert.deepEqual(read(said.split(' ')), {
    kind: 'faults',
    text: `speaker cannot start:
  --colour is not a setting of this program: see --help
  stray is not a setting of this program: see --help
  --links is given more than once
  --node-name has no value: write --node-name=VALUE
  --probe-port "abc" is not a whole number between 0 and 65535
  --links "eth1,," is empty
  --mode "slow" is not one of fast, safe
  --dry-run "maybe" is neither true nor false
  --ca-file "/nowhere" is not a file that exists
See speaker --help.
`,
  });
});

test('a fault in the environment names the variable, and what is required is named with both', () => {
  const reading = read([], { PROBE_PORT: '70000' });
  assert(reading.kind === 'faults');
  assert.match(reading.text, /PROBE_PORT "70000" is not a whole number between 0 and 65535/);
  assert.match(reading.text, /--node-name is missing: the node this runs on \(or set NODE_NAME\)/);
});

test('numbers are whole and decimal', () => {
  const parse = integerBetween(-5, 5);
  assert.equal(parse('-5'), -5);
  for (const said of ['', ' ', '1e0', '0x1', '1.0', '6', 'NaN', 'Infinity', '+1'])
    assert.throws(() => parse(said), /is not a whole number between -5 and 5/, said);
});

test('help shows the whole table, whatever else is said', () => {
  const reading = read(['--probe-port=abc', '--help']);
  assert.deepEqual(reading, {
    kind: 'help',
    text: `speaker

  flag  environment  default
  --node-name  NODE_NAME  required
      the node this runs on
  --probe-port  PROBE_PORT  7473
      where health is asked, 0 for nowhere
  --links
      the links that may announce
  --mode  fast
      how to act
  --dry-run  false
      decide, but write nothing
  --ca-file
      who signs the API server
`,
  });
});
