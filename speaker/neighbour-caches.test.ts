import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../daemon/clock.ts';
import { until } from '../daemon/testing/until.ts';
import { type Address, type Family, formatAddress, parseAddress } from '../net/address.ts';
import { broadcastMac, type Mac } from '../net/mac.ts';
import { readLinks } from './io/link.ts';
import { type Host, ip, needsTwoHosts, TwoHosts } from './io/testing/two-hosts.ts';
import { NeighbourSockets } from './neighbour-sockets.ts';
import { formatArp, gratuitousReply } from './wire/arp.ts';
import { etherTypes, formatFrame } from './wire/ethernet.ts';
import { neighboursOf } from './wire/family.ts';
import { allNodes, formatNdp, groupMac } from './wire/ndp.ts';

/** Where the entries of the client lead before the address moves. */
const oldMac: Mac = '02:00:00:00:00:99';
/** Linux takes no change within so long after the last one (`locktime`, 1 s), but from frames that are made for it. */
const lockMs = 1_100;

/** One way to say, unasked, that an address is somewhere else now. */
type Form = {
  readonly name: string;
  readonly family: Family;
  readonly frames: (address: Address, mac: Mac) => readonly Uint8Array[];
};

/** All frames of an announcement, as the announcer sends it. */
const announcement = (address: Address, mac: Mac): readonly Uint8Array[] =>
  neighboursOf(address.family).unsolicited(address, mac);

const advertisement =
  (has: { readonly override: boolean; readonly mac: boolean }) =>
  (target: Address, mac: Mac): readonly Uint8Array[] => {
    const payload = formatNdp({
      kind: 'advertisement',
      source: target,
      destination: allNodes,
      target,
      mac: has.mac ? mac : undefined,
      router: false,
      solicited: false,
      override: has.override,
    });
    const to = { destination: groupMac(allNodes), source: mac };
    return [formatFrame({ ...to, etherType: etherTypes.ipv6, payload })];
  };

/** Ours, and beside each of them those that lack what makes it count. */
const forms: readonly Form[] = [
  {
    name: 'ARP request',
    family: 'IPv4',
    frames: (address, mac) => announcement(address, mac).slice(0, 1),
  },
  {
    name: 'ARP reply',
    family: 'IPv4',
    frames: (address, mac) => announcement(address, mac).slice(1),
  },
  {
    name: 'ARP reply, target MAC 0',
    family: 'IPv4',
    frames: (address, mac) => {
      const weak = { ...gratuitousReply(address, mac), targetMac: '00:00:00:00:00:00' };
      const to = { destination: broadcastMac, source: mac };
      return [formatFrame({ ...to, etherType: etherTypes.arp, payload: formatArp(weak) })];
    },
  },
  { name: 'NA, override, MAC', family: 'IPv6', frames: announcement },
  { name: 'NA, override', family: 'IPv6', frames: advertisement({ override: true, mac: false }) },
  { name: 'NA, MAC', family: 'IPv6', frames: advertisement({ override: false, mac: true }) },
];

const announcements: readonly Form[] = (['IPv4', 'IPv6'] as const).map((family) => ({
  name: `${family} announcement`,
  family,
  frames: announcement,
}));

/** What the client has for the address. All but the fresh ones are older than `lockMs`, as most are. */
const states = [
  'none',
  'incomplete',
  'failed',
  'fresh',
  'reachable',
  'stale',
  'permanent',
] as const;
type State = (typeof states)[number];

/** The states in which a client sends to somebody, and which an announcement changes in either family. */
const isFollowed: ReadonlySet<State> = new Set(['incomplete', 'fresh', 'reachable', 'stale']);
const columns = ['the neighbour has', ...forms.map(({ name }) => name)];

/** One address for each state and form. */
type Cell = { readonly state: State; readonly form: Form; readonly address: Address };

function cellsOf(all: readonly Form[]): readonly Cell[] {
  return all.flatMap((form, column) =>
    states.map((state, row): Cell => {
      const last = (100 + column * 16 + row).toString(form.family === 'IPv4' ? 10 : 16);
      const text = form.family === 'IPv4' ? `198.51.100.${last}` : `2001:db8::1:${last}`;
      const address = parseAddress(text);
      assert.ok(address !== undefined);
      return { state, form, address };
    }),
  );
}

describe('a Linux neighbour', needsTwoHosts, () => {
  let hosts: TwoHosts;
  let sockets: NeighbourSockets;
  before(() => {
    hosts = new TwoHosts();
    using _ = hosts.enter(hosts.near);
    const link = readLinks().find(({ name }) => name === hosts.near.link);
    assert.ok(link !== undefined);
    sockets = new NeighbourSockets(link);
  });
  after(() => {
    sockets[Symbol.dispose]();
    hosts[Symbol.dispose]();
  });

  /** Makes every entry what its cell says, one second old where that matters. */
  async function prepare(cells: readonly Cell[]): Promise<void> {
    const { far } = hosts;
    ip('-n', far.namespace, 'neighbour', 'flush', 'dev', far.link, 'nud', 'all');
    const of = (...wanted: readonly State[]) => cells.filter(({ state }) => wanted.includes(state));
    set(far, of('failed', 'reachable', 'stale', 'permanent'));
    await systemClock.sleep(lockMs);
    const asked = of('incomplete').map(({ address }) => formatAddress(address));
    using _ = hosts.enter(far);
    execFileSync('bash', ['-c', `for it in ${asked.join(' ')}; do echo > /dev/udp/$it/9; done`]);
    set(far, of('fresh'));
  }

  const send = (cells: readonly Cell[], mac: Mac = hosts.near.mac): void => {
    const frames = cells.flatMap(({ form, address }) => form.frames(address, mac));
    assert.equal(sockets.send(frames).sent, frames.length);
  };

  test('follows an unasked frame within a tenth of a second, as docs/protocol.md says', async (t) => {
    const cells = cellsOf(forms);
    await prepare(cells);
    send(cells);
    await systemClock.sleep(100);
    const rows = rowsOf(cells, entriesOf(hosts.far));
    for (const row of rows) t.diagnostic(row.join(' | '));
    assert.deepEqual(tableOf('What neighbours make of it'), [columns, ...rows]);
  });

  test('follows when an address moves on at once', async () => {
    const cells = cellsOf(announcements).filter(({ state }) => isFollowed.has(state));
    await prepare(cells);
    for (const mac of ['02:00:00:00:00:77', hosts.near.mac]) {
      send(cells, mac);
      const moved = () => {
        const entries = entriesOf(hosts.far);
        return cells.every(({ address }) => entries.get(formatAddress(address)) === mac);
      };
      await until(`all lead to ${mac}`, moved, { withinMs: 500 });
    }
  });

  test('makes an IPv4 entry of an announcement where it is told to', async () => {
    const { far, near } = hosts;
    const accept = `net.ipv4.conf.${far.link}.arp_accept`;
    const cells = cellsOf(announcements.filter(({ family }) => family === 'IPv4'));
    await prepare(cells);
    ip('netns', 'exec', far.namespace, 'sysctl', '-qw', `${accept}=1`);
    send(cells.filter(({ state }) => state === 'none'));
    const [made] = cells.filter(({ state }) => state === 'none');
    assert.ok(made !== undefined);
    const mac = () => entriesOf(far).get(formatAddress(made.address)) === near.mac;
    await until('the entry is there', mac, { withinMs: 500 });
    ip('netns', 'exec', far.namespace, 'sysctl', '-qw', `${accept}=0`);
  });
});

/** Entries by iproute2, all in one go. */
function set({ namespace, link }: Host, cells: readonly Cell[]): void {
  const lines = cells.map(({ state, address }) => {
    const mac = state === 'failed' ? '' : `lladdr ${oldMac}`;
    const nud = state === 'fresh' ? 'reachable' : state;
    return `neighbour replace ${formatAddress(address)} ${mac} dev ${link} nud ${nud}\n`;
  });
  execFileSync('ip', ['-n', namespace, '-batch', '-'], { input: lines.join('') });
}

/** What the kernel has for each address: a MAC, or none. */
function entriesOf({ namespace, link }: Host): ReadonlyMap<string, Mac | undefined> {
  const lines = ip('-n', namespace, 'neighbour', 'show', 'dev', link, 'nud', 'all').split('\n');
  return new Map(
    lines.map((line) => {
      const [address = '', ...rest] = line.split(' ');
      return [address, /lladdr (\S+)/.exec(rest.join(' '))?.[1]];
    }),
  );
}

function rowsOf(
  cells: readonly Cell[],
  entries: ReadonlyMap<string, Mac | undefined>,
): readonly (readonly string[])[] {
  const outcome = ({ address }: Cell): string => {
    const mac = entries.get(formatAddress(address));
    if (mac === undefined) return '–';
    return mac === oldMac ? 'stays' : 'moves';
  };
  return states.map((state) => [
    state,
    ...cells.filter((cell) => cell.state === state).map(outcome),
  ]);
}

/** The cells of the table in this section of the page, its ruler left out. */
function tableOf(section: string): readonly (readonly string[])[] {
  const page = readFileSync(new URL('../docs/protocol.md', import.meta.url), 'utf8');
  const [, text = ''] = page.split(`## ${section}\n`);
  const lines = (text.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('|'));
  return lines
    .filter((line) => !line.startsWith('|--'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}
