/** The kernel of the far host, and tools that are not ours, judge what the kernel of the near host answers. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, afterEach, before, describe, it } from 'node:test';

import { until } from '../../daemon/testing/until.ts';
import { type Address, parseAddress } from '../../net/address.ts';
import { broadcastMac } from '../../net/mac.ts';
import { formatArp } from '../wire/arp.ts';
import { etherTypes, formatFrame } from '../wire/ethernet.ts';
import { arp } from '../wire/family.ts';
import { arpFilter } from '../wire/filter.ts';
import { KernelResponder } from './kernel-responder.ts';
import { readLinks } from './link.ts';
import { PacketSocket } from './packet-socket.ts';
import { Poll } from './poll.ts';
import { needsBpf } from './testing/run-program.ts';
import { type Host, ip, needsTwoHosts, TwoHosts } from './testing/two-hosts.ts';

const vip = '198.51.100.40';
const stranger = '02:00:00:00:00:66';

function at(text: string): Address {
  const address = parseAddress(text);
  assert(address);
  return address;
}

const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

const needs = needsTwoHosts.skip === false ? needsBpf : needsTwoHosts;

describe('a kernel that answers on a real link', needs, () => {
  let hosts: TwoHosts;
  before(() => {
    hosts = new TwoHosts();
  });
  afterEach(() => ip('-n', hosts.far.namespace, 'neighbour', 'flush', 'dev', hosts.far.link));
  after(() => hosts?.[Symbol.dispose]());

  const linkOf = (host: Host) => {
    const link = readLinks().find(({ name }) => name === host.link);
    assert(link?.mac !== undefined);
    return { ...link, mac: link.mac };
  };

  /** With a lease of a minute. */
  function answerFor(...addresses: readonly string[]): KernelResponder {
    using _ = hosts.enter(hosts.near);
    const opened = KernelResponder.open(linkOf(hosts.near));
    assert(opened.kind === 'open', JSON.stringify(opened));
    for (const address of addresses) opened.hold(at(address));
    opened.renew(nowMs() + 60_000);
    return opened;
  }

  function socketOn(host: Host, addresses: readonly string[]): PacketSocket {
    using _ = hosts.enter(host);
    const filter = arpFilter(addresses.map(at));
    return new PacketSocket({ link: linkOf(host), etherType: etherTypes.arp, filter });
  }

  const entry = (address: string): string => hosts.neighbour(hosts.far, address);

  /** `arping` counts who answers: the MACs, one for each answer. */
  function arping(address: string, ...more: readonly string[]): string[] {
    const { namespace, link } = hosts.far;
    const words = ['netns', 'exec', namespace, 'arping', '-I', link, ...more, address];
    try {
      return macsIn(execFileSync('ip', words, { encoding: 'utf8' }));
    } catch (error) {
      // It ends with 1 where nobody answers.
      assert(error instanceof Error && 'stdout' in error);
      return macsIn(String(error.stdout));
    }
  }

  /** A question of the far host, byte by byte. */
  function question(address: string): Uint8Array {
    const { mac } = hosts.far;
    const message = {
      operation: 'request',
      senderMac: mac,
      sender: at(hosts.far.address),
      targetMac: '00:00:00:00:00:00',
      target: at(address),
    } as const;
    const header = { destination: broadcastMac, source: mac, etherType: etherTypes.arp };
    return formatFrame({ ...header, payload: formatArp(message) });
  }

  /** Asks from the far host, and counts the answers of the next milliseconds. */
  function openAsker(address: string): Disposable & { ask(withinMs?: number): number } {
    const socket = socketOn(hosts.far, [address]);
    const poll = new Poll();
    poll.add(socket.fd);
    const frame = question(address);
    return {
      ask: (withinMs = 20) => {
        socket.send([frame]);
        poll.wait(withinMs);
        return socket.receive().frames.length;
      },
      [Symbol.dispose]: () => {
        poll.close();
        socket.close();
      },
    };
  }

  it('answers for held addresses of both families and for no others, with the MAC of its link', () => {
    const held = [vip, '198.51.100.42', '2001:db8::40'];
    const others = ['198.51.100.41', '2001:db8::41'];
    using _ = answerFor(...held);
    for (const address of [...held, ...others]) hosts.ask(hosts.far, address);
    for (const address of held) {
      assert.match(entry(address), new RegExp(`^lladdr ${hosts.near.mac} (REACHABLE|DELAY)$`));
    }
    for (const address of others) assert.match(entry(address), /^(INCOMPLETE|FAILED)$/);
  });

  it('answers broadcast and unicast questions and probes once each, as arping counts', () => {
    using responder = answerFor(vip);
    // The first question of arping is a broadcast, the next one goes to who has answered.
    assert.deepEqual(arping(vip, '-c', '2'), [hosts.near.mac, hosts.near.mac]);
    assert.deepEqual(arping(vip, '-D', '-c', '1', '-w', '1'), [hosts.near.mac]);
    assert.equal(responder.answers, 3);
  });

  it('keeps what it answers from the packet socket, and leaves it everything else', () => {
    using socket = socketOn(hosts.near, [vip]);
    using responder = answerFor(vip);
    using asker = openAsker(vip);
    assert.equal(asker.ask(), 1);
    assert.deepEqual(socket.receive().frames, []);
    using claimant = socketOn(hosts.far, []);
    claimant.send(arp.unsolicited(at(vip), stranger));
    const claims = socket.receive().frames.map((frame) => arp.read(frame)?.kind);
    assert.deepEqual(claims, ['assertion', 'assertion']);
    responder.revoke();
    assert.equal(asker.ask(), 0);
    assert.equal(socket.receive().frames.length, 1);
  });

  it('leaves questions alone that came through a VLAN', () => {
    using responder = answerFor(vip);
    using sender = socketOn(hosts.far, [vip]);
    const untagged = question(vip);
    const tag = Uint8Array.of(0x81, 0, 0, 7);
    const tagged = [untagged.subarray(0, 12), tag, untagged.subarray(12)];
    sender.send([Uint8Array.from(Buffer.concat(tagged))]);
    assert.equal(responder.answers, 0);
    sender.send([untagged]);
    assert.equal(responder.answers, 1);
  });

  it('does not touch what a capture on the same link sees', async () => {
    using _ = answerFor(vip);
    const words = ['-l', '-n', '-i', hosts.near.link, '-c', '2', 'arp'];
    const place = ['netns', 'exec', hosts.near.namespace, 'tcpdump'];
    const capture = spawn('ip', [...place, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    capture.stdout.on('data', (bytes) => (said += String(bytes)));
    await once(capture.stderr, 'data');
    hosts.ask(hosts.far, vip);
    await once(capture, 'close');
    assert.match(said, new RegExp(`Request who-has ${vip} tell ${hosts.far.address}`));
    assert.match(said, new RegExp(`Reply ${vip} is-at ${hosts.near.mac}`));
  });

  it('answers with the MAC that it is given, and for nothing that it has released', () => {
    using responder = answerFor(vip);
    responder.moveTo(stranger);
    assert.deepEqual(arping(vip, '-c', '1', '-w', '1'), [stranger]);
    responder.release(at(vip));
    responder.release(at(vip));
    assert.deepEqual(arping(vip, '-c', '1', '-w', '1'), []);
  });

  it('holds ten thousand addresses, and answers for each of them', () => {
    const addresses = Array.from({ length: 10_000 }, (_, index): Address => {
      return { family: 'IPv4', value: at('198.18.0.0').value + BigInt(index) * 2n };
    });
    using responder = answerFor();
    for (const address of addresses) responder.hold(address);
    using sender = socketOn(hosts.far, []);
    const ask = ({ value }: Address): void => {
      const frame = question(vip);
      new DataView(frame.buffer).setUint32(38, Number(value));
      sender.send([frame]);
    };
    addresses.forEach(ask);
    assert.equal(responder.answers, 10_000);
    for (const { family, value } of addresses) ask({ family, value: value + 1n });
    assert.equal(responder.answers, 10_000);
  });

  it('holds no more than it has room for, and goes on', () => {
    using responder = answerFor(vip);
    for (let index = 0; index < 17_000; index++) {
      responder.hold({ family: 'IPv4', value: at('198.18.0.0').value + BigInt(index) });
    }
    assert.deepEqual(arping(vip, '-c', '1', '-w', '1'), [hosts.near.mac]);
  });

  it('leaves to another program on the same link what is not its own', () => {
    using first = answerFor(vip);
    using second = answerFor('198.51.100.42');
    for (const address of [vip, '198.51.100.42']) hosts.ask(hosts.far, address);
    assert.deepEqual([first.answers, second.answers], [1, 1]);
  });

  it('is silent when it is closed, and may be closed twice', () => {
    const responder = answerFor(vip);
    using asker = openAsker(vip);
    assert.equal(asker.ask(), 1);
    responder.close();
    responder.close();
    assert.equal(asker.ask(), 0);
    assert.equal(responder.answers, 0);
  });

  /** A process of its own that renews a lease of 200 ms every 50. */
  async function spawnAnswering() {
    using _ = hosts.enter(hosts.near);
    const module = JSON.stringify(new URL('kernel-responder.ts', import.meta.url));
    const { index, mac } = linkOf(hosts.near);
    const script = `
      import { KernelResponder } from ${module};
      const responder = KernelResponder.open({ index: ${index}, mac: '${mac}' });
      responder.hold({ family: 'IPv4', value: ${at(vip).value}n });
      const renew = () => responder.renew(Number(process.hrtime.bigint()) / 1e6 + 200);
      renew();
      setInterval(renew, 50);
      console.log('ready');`;
    const words = ['--pdeathsig', 'KILL', process.execPath, '--input-type=module', '-e', script];
    const child = spawn('setpriv', words, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    return child;
  }

  it('falls silent within the lease when its process is frozen, and answers when it goes on', async () => {
    const child = await spawnAnswering();
    using asker = openAsker(vip);
    assert.equal(asker.ask(), 1);
    child.kill('SIGSTOP');
    const frozenAtMs = performance.now();
    let answeredAtMs = frozenAtMs;
    for (let askedAtMs = frozenAtMs; asker.ask() > 0; askedAtMs = performance.now()) {
      answeredAtMs = askedAtMs;
      assert(askedAtMs < frozenAtMs + 5_000, 'it goes on answering');
    }
    // The signal takes effect a moment after it was sent.
    const answeredMs = answeredAtMs - frozenAtMs;
    assert(answeredMs < 210, `still answered after ${answeredMs} ms`);
    child.kill('SIGCONT');
    await until('it answers again', () => asker.ask() > 0);
    child.kill('SIGKILL');
    await once(child, 'close');
  });

  it('falls silent at once when its process is killed, and leaves nothing behind', async () => {
    const child = await spawnAnswering();
    using asker = openAsker(vip);
    assert.equal(asker.ask(), 1);
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(asker.ask(), 0);
    using socket = socketOn(hosts.near, [vip]);
    asker.ask();
    assert.equal(socket.receive().frames.length, 1);
  });

  it('says which rights it lacks, and needs no others', () => {
    using _ = hosts.enter(hosts.near);
    const module = JSON.stringify(new URL('kernel-responder.ts', import.meta.url));
    const { index, mac } = linkOf(hosts.near);
    const script = `
      import { KernelResponder } from ${module};
      const { kind, reason, detail } = KernelResponder.open({ index: ${index}, mac: '${mac}' });
      console.log(kind, reason, detail);`;
    const runWith = (rights: string): string =>
      execFileSync(
        'setpriv',
        [
          `--bounding-set=-all${rights}`,
          '--inh-caps=-all',
          process.execPath,
          '--input-type=module',
          '-e',
          script,
        ],
        { encoding: 'utf8' },
      ).trim();
    const lacking = /^unfit RightMissing .*\(EPERM\).* capabilities BPF and NET_ADMIN/;
    for (const rights of [',+net_raw', ',+bpf', ',+net_admin']) {
      assert.match(runWith(rights), lacking, rights);
    }
    assert.match(runWith(',+bpf,+net_admin'), /^open/);
  });

  it('says that the link is gone', () => {
    using _ = hosts.enter(hosts.near);
    const opened = KernelResponder.open({ index: 9_999, mac: stranger });
    assert.equal(opened.kind === 'unfit' && opened.reason, 'LinkGone');
  });

  it('says that its clock is another one than the kernel’s', () => {
    const module = JSON.stringify(new URL('kernel-responder.ts', import.meta.url));
    const script = `
      import { KernelResponder } from ${module};
      const { kind, reason } = KernelResponder.open({ index: 1, mac: '${stranger}' });
      console.log(kind, reason);`;
    const words = ['--time', '--monotonic', '100000', '--', process.execPath];
    const said = execFileSync('unshare', [...words, '--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    assert.equal(said.trim(), 'unfit ClockShifted');
  });
});

const macsIn = (said: string): string[] =>
  Array.from(said.matchAll(/\[([0-9A-F:]{17})\]/g), ([, mac = '']) => mac.toLowerCase());
