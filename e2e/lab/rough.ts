import { settingsTable } from '../../speaker/settings.ts';
import { run } from './command.ts';
import type { Host } from './host.ts';

/**
 * Bad wires, in the kernel of the switch. What carries a client's own data is spared: what is lost of that says nothing
 * about who answers for an address.
 */
export async function loseFrames({ switchNamespace }: Host, percent: number): Promise<void> {
  const rules = `
    table bridge rough {
      chain forward {
        type filter hook forward priority 0;
        ether type != ip numgen random mod 100 < ${percent} drop
        udp dport ${settingsTable.pulsePort.fallback} numgen random mod 100 < ${percent} drop
      }
    }`;
  await nft(switchNamespace, rules);
}

/**
 * One frame in ten arrives twice, and one in ten of the speakers' takes a lane so slow that the ones sent after it arrive
 * before it: a pulse of some 130 bytes at 8 kbit/s is more than a pulse interval late.
 */
export async function muddleFrames(hosts: readonly Host[]): Promise<void> {
  const [first] = hosts;
  if (first === undefined) return;
  const { switchNamespace } = first;
  for (const { name } of hosts) {
    await tc(switchNamespace, 'qdisc', 'add', 'dev', name, ...lanes.root);
    for (const lane of lanes.classes)
      await tc(switchNamespace, 'class', 'add', 'dev', name, ...lane);
  }
  const chains = hosts.map(
    ({ name }, index) => `
      chain port-${index} {
        type filter hook egress device "${name}" priority 0;
        ether type 0x88b5 numgen random mod 100 < 10 meta priority set 1:2
        numgen random mod 100 < 10 dup to "${name}"
      }`,
  );
  await nft(switchNamespace, `table netdev rough {${chains.join('')}\n}`);
}

/** How many frames took the slow lane to this host so far. */
export async function lateFrames({ name, switchNamespace }: Host): Promise<number> {
  const printed = await tc(switchNamespace, '-s', 'class', 'show', 'dev', name, 'classid', '1:2');
  return Number(/Sent \d+ bytes (\d+) pkt/.exec(printed)?.[1]);
}

/** Every wire is as it was. */
export async function smooth(hosts: readonly Host[]): Promise<void> {
  const [first] = hosts;
  if (first === undefined) return;
  const { switchNamespace } = first;
  const tables = ['bridge', 'netdev'].map((family) => `table ${family} rough`);
  await nft(switchNamespace, tables.flatMap((table) => [table, `delete ${table}`]).join('\n'));
  for (const { name } of hosts) {
    const set = await tc(switchNamespace, 'qdisc', 'show', 'dev', name, 'root');
    if (set.includes('htb')) await tc(switchNamespace, 'qdisc', 'delete', 'dev', name, 'root');
  }
}

const lanes = {
  root: ['root', 'handle', '1:', 'htb', 'default', '1'],
  classes: [
    ['parent', '1:', 'classid', '1:1', 'htb', 'rate', '10gbit', 'quantum', '60000'],
    ['parent', '1:', 'classid', '1:2', 'htb', 'rate', '8kbit', 'burst', '200', 'quantum', '1514'],
  ],
} as const;

const nft = (namespace: string, input: string): Promise<string> =>
  run('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], { input: `${input}\n` });

const tc = (namespace: string, ...args: readonly string[]): Promise<string> =>
  run('tc', ['-n', namespace, ...args]);
