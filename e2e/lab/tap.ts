import { until } from '../../daemon/testing/until.ts';
import { parseMac } from '../../net/mac.ts';
import type { Cluster } from './cluster.ts';

/** Listens at the client's wire to whoever says that it has an address, while the client asks for it all the time. */
export type Tap = AsyncDisposable & {
  /** Who said so, in the order in which they did; who says it again and again stands there once. */
  readonly spells: () => readonly Spell[];
};

/** One host said that it has the address, and meanwhile no other did. */
export type Spell = { readonly host: string; readonly fromMs: number; readonly toMs: number };

/** Ten times a second and more, by a tool that knows nothing of us. */
const asking = (address: string): string =>
  `while sleep 0.05; do arping -q -f -b -w 1 -I eth0 ${address}; done`;

let taps = 0;

export async function openTap({ hosts, client }: Cluster, address: string): Promise<Tap> {
  const { host } = client;
  const spells: Spell[] = [];
  const number = (taps += 1);
  // ARP's sender protocol address, in answers and in announcements alike (RFC 826).
  const sender = `0x${address
    .split('.')
    .map((part) => Number(part).toString(16).padStart(2, '0'))
    .join('')}`;
  const listening = host.spawn({
    name: `tap-${number}`,
    file: 'tcpdump',
    args: [
      '-i',
      'eth0',
      '-l',
      '-n',
      '-e',
      '-tt',
      '--immediate-mode',
      `arp and arp[14:4] = ${sender}`,
    ],
  });
  let rest = '';
  listening.output.on('data', (chunk) => {
    const lines = `${rest}${String(chunk)}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      // `1700000000.123456 02:00:00:00:00:12 > 02:00:00:00:00:50, ethertype ARP …`
      const [seconds = '', said = ''] = line.split(' ');
      const mac = parseMac(said);
      const name = hosts.all.find((one) => one.mac === mac)?.name ?? line;
      const atMs = Number(seconds) * 1_000;
      const last = spells.at(-1);
      if (last?.host === name) spells.splice(-1, 1, { ...last, toMs: atMs });
      else spells.push({ host: name, fromMs: atMs, toMs: atMs });
    }
  });
  await until('the tap listens', () => host.logOf(listening.name, 1).includes('listening on'));
  const asks = host.spawn({
    name: `asks-${number}`,
    file: 'sh',
    args: ['-c', asking(address)],
  });
  return {
    spells: () => [...spells],
    async [Symbol.asyncDispose]() {
      await asks.stop();
      await listening.stop();
    },
  };
}
