import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';

import { type Address, formatAddress, parseAddress } from '../../net/address.ts';
import { accept, drop } from '../wire/bpf.ts';
import { etherTypes, formatFrame, parseFrame, speakersMac } from '../wire/ethernet.ts';
import { arp } from '../wire/family.ts';
import { arpFilter, arpFilters, speakersFilter } from '../wire/filter.ts';
import { PacketSocket, type PacketSocketOptions } from './packet-socket.ts';
import { Poll } from './poll.ts';
import { type Host, ip, needsTwoHosts, TwoHosts } from './testing/two-hosts.ts';

function address(text: string): Address {
  const parsed = parseAddress(text);
  assert(parsed);
  return parsed;
}

describe('a packet socket', needsTwoHosts, () => {
  let hosts: TwoHosts;
  before(() => {
    hosts = new TwoHosts();
  });
  after(() => hosts?.[Symbol.dispose]());

  function openOn(host: Host, options: Omit<PacketSocketOptions, 'link'>): PacketSocket {
    using _ = hosts.enter(host);
    return new PacketSocket({ link: { name: host.link, index: indexOf(host) }, ...options });
  }

  /** Frames that came in until there were so many, or a fifth of a second had passed. */
  function collect(socket: PacketSocket, most: number): Uint8Array[] {
    using poll = new Poll();
    poll.add(socket.fd);
    const frames: Uint8Array[] = [];
    const endMs = performance.now() + 200;
    while (frames.length < most && performance.now() < endMs) {
      poll.wait(endMs - performance.now());
      frames.push(...socket.receive().frames.map((frame) => frame.slice()));
    }
    return frames;
  }

  const targets = (frames: readonly Uint8Array[]): string[] =>
    frames.map((frame) => {
      const heard = arp.read(frame);
      return heard?.kind === 'question' ? formatAddress(heard.target) : String(heard?.kind);
    });

  it('wakes for questions about held addresses only, and changes its mind between two frames', () => {
    const held = arpFilter([address('198.51.100.20')]);
    using socket = openOn(hosts.near, { etherType: etherTypes.arp, filter: held });
    for (const asked of ['198.51.100.21', '198.51.100.20', '198.51.100.22']) {
      hosts.ask(hosts.far, asked);
    }
    assert.deepEqual(targets(collect(socket, 1)), ['198.51.100.20']);
    assert.deepEqual(targets(socket.receive().frames), []);
    assert(socket.swapFilter([arpFilter([address('198.51.100.23'), address('198.51.100.24')])]));
    for (const asked of ['198.51.100.25', '198.51.100.23']) hosts.ask(hosts.far, asked);
    assert.deepEqual(targets(collect(socket, 1)), ['198.51.100.23']);
  });

  it('receives nothing before it has a filter that lets something through', () => {
    using socket = openOn(hosts.near, { etherType: etherTypes.arp });
    hosts.ask(hosts.far, '198.51.100.26');
    assert.deepEqual(collect(socket, 1), []);
  });

  it('carries frames in order, more than a ring holds, to whoever joined the group', () => {
    const options = { etherType: etherTypes.speaker, filter: speakersFilter };
    using near = openOn(hosts.near, options);
    using far = openOn(hosts.far, options);
    far.join(speakersMac);
    const groups = ip('-n', hosts.far.namespace, 'maddress', 'show', 'dev', hosts.far.link);
    assert(groups.includes(speakersMac));
    const sent = Array.from({ length: 150 }, (_, index) => speakerFrame(hosts.near, [index]));
    assert.deepEqual(near.send(sent), { sent: 150 });
    const received = collect(far, 150);
    assert.deepEqual(
      received.map((frame) => parseFrame(frame)?.payload[0]),
      [...sent.keys()],
    );
    assert.equal(parseFrame(received[0] ?? new Uint8Array())?.source, hosts.near.mac);
    assert.deepEqual(near.receive(), { frames: [] }, 'its own frames do not come back');
  });

  it('gives each frame as long as it is, whatever came in before it', () => {
    const options = { etherType: etherTypes.speaker, filter: speakersFilter };
    using near = openOn(hosts.near, options);
    using far = openOn(hosts.far, options);
    for (const payload of [100, 200, 200, 46, 100]) {
      const filled = Array.from({ length: payload }, () => payload);
      near.send([speakerFrame(hosts.near, filled)]);
      const [frame = new Uint8Array()] = collect(far, 1);
      assert.deepEqual([...(parseFrame(frame)?.payload ?? [])], filled);
    }
  });

  it('goes on with the same socket when the link was down', () => {
    const options = { etherType: etherTypes.speaker, filter: speakersFilter };
    using near = openOn(hosts.near, options);
    using far = openOn(hosts.far, options);
    ip('-n', hosts.near.namespace, 'link', 'set', hosts.near.link, 'down');
    assert.deepEqual(near.receive(), { frames: [], trouble: 'LinkDown' });
    assert.deepEqual(near.send([speakerFrame(hosts.near, [1])]), { sent: 0, trouble: 'LinkDown' });
    ip('-n', hosts.near.namespace, 'link', 'set', hosts.near.link, 'up');
    assert.deepEqual(near.receive(), { frames: [] });
    assert.deepEqual(near.send([speakerFrame(hosts.near, [2])]), { sent: 1 });
    assert.equal(collect(far, 1).length, 1);
    far.send([speakerFrame(hosts.far, [3])]);
    assert.equal(parseFrame(collect(near, 1)[0] ?? new Uint8Array())?.payload[0], 3);
  });

  it('says that the device is gone, even when one of the same name comes back', () => {
    using socket = openOn(hosts.near, { etherType: etherTypes.speaker });
    hosts.cut();
    assert.equal(socket.receive().trouble, 'LinkGone');
    hosts.connect();
    const frames = [speakerFrame(hosts.near, [1])];
    assert.deepEqual(socket.send(frames), { sent: 0, trouble: 'LinkGone' });
    using again = openOn(hosts.near, { etherType: etherTypes.speaker });
    assert.deepEqual(again.send(frames), { sent: 1 });
  });

  it('says that the device is gone, when it went before the socket was bound', () => {
    using _ = hosts.enter(hosts.near);
    const link = { name: 'gone', index: 9_999 };
    using socket = new PacketSocket({
      link,
      etherType: etherTypes.speaker,
      filter: speakersFilter,
    });
    socket.join(speakersMac);
    assert.deepEqual(socket.send([speakerFrame(hosts.near, [1])]), {
      sent: 0,
      trouble: 'LinkGone',
    });
    assert.deepEqual(socket.receive(), { frames: [] }, 'it hears no other link in its place');
  });

  it('counts what it had no room for', () => {
    const options = { etherType: etherTypes.speaker, filter: speakersFilter };
    using near = openOn(hosts.near, options);
    using far = openOn(hosts.far, { ...options, receiveBufferBytes: 4096 });
    near.send(Array.from({ length: 100 }, () => speakerFrame(hosts.near, [1])));
    const received = collect(far, 100).length;
    assert(received < 100);
    assert.deepEqual(far.statistics(), { received, dropped: 100 - received, cutOff: 0 });
    near.send([speakerFrame(hosts.near, [1])]);
    assert.equal(far.statistics().received, received + 1, 'counters add up');
  });

  it('refuses frames that were cut off, and counts them', () => {
    const { near, far } = hosts;
    for (const { namespace, link } of [near, far]) {
      ip('-n', namespace, 'link', 'set', link, 'mtu', '9000');
    }
    ip(
      '-n',
      far.namespace,
      'neighbour',
      'replace',
      near.address,
      'lladdr',
      near.mac,
      'dev',
      far.link,
    );
    using socket = openOn(near, { etherType: 0x0800, filter: [accept] });
    using _ = hosts.enter(far);
    execFileSync('bash', ['-c', `printf %04000d 0 > /dev/udp/${near.address}/9`]);
    assert.deepEqual(collect(socket, 1), []);
    assert.equal(socket.statistics().cutOff, 1);
    for (const { namespace, link } of [near, far]) {
      ip('-n', namespace, 'link', 'set', link, 'mtu', '1500');
    }
  });

  it('tells a frame that the link cannot carry from one that no link can', () => {
    using socket = openOn(hosts.near, { etherType: etherTypes.speaker });
    ip('-n', hosts.near.namespace, 'link', 'set', hosts.near.link, 'mtu', '1280');
    const long = speakerFrame(hosts.near, new Uint8Array(1500));
    const short = speakerFrame(hosts.near, [1]);
    assert.deepEqual(socket.send([short, long, short]), { sent: 1, trouble: 'TooLong' });
    ip('-n', hosts.near.namespace, 'link', 'set', hosts.near.link, 'mtu', '1500');
    assert.deepEqual(socket.send([long]), { sent: 1 });
    const impossible = speakerFrame(hosts.near, new Uint8Array(1501));
    assert.throws(() => socket.send([impossible]), /1515 bytes on cable-near: the most is 1514/);
  });

  it('keeps its filter when the kernel has no room for another, and takes a coarser one', () => {
    const filter = arpFilter([address('198.51.100.30')]);
    using socket = openOn(hosts.near, { etherType: etherTypes.arp, filter });
    assert.equal(socket.swapFilter([Array.from({ length: 4097 }, () => drop)]), false);
    hosts.ask(hosts.far, '198.51.100.30');
    assert.equal(collect(socket, 1).length, 1);
    const scattered = Array.from({ length: 10_000 }, (_, index): Address => {
      return { family: 'IPv4', value: BigInt(0xc6336400 + index * 2) };
    });
    assert(socket.swapFilter(arpFilters(scattered)));
    hosts.ask(hosts.far, '198.51.100.32');
    assert.equal(collect(socket, 1).length, 1);
    for (const foreign of ['198.51.100.31', '198.51.100.33']) hosts.ask(hosts.far, foreign);
    assert.deepEqual(collect(socket, 1), [], 'it is exact');
  });

  it('may be closed twice', () => {
    const socket = openOn(hosts.near, { etherType: etherTypes.arp });
    socket.close();
    socket.close();
  });

  it('needs the right to send raw frames and no other, and names it when it is missing', () => {
    const { near } = hosts;
    using _ = hosts.enter(near);
    const script = `
      import { PacketSocket } from ${JSON.stringify(new URL('packet-socket.ts', import.meta.url))};
      const index = ${indexOf(near)};
      try {
        const socket = new PacketSocket({ link: { name: '${near.link}', index }, etherType: 0x88b5 });
        socket.join('${speakersMac}');
        console.log(JSON.stringify(socket.send([new Uint8Array(60)])));
      } catch (error) { console.log(error.message); }`;
    const runWith = (rights: string): string =>
      execFileSync(
        'setpriv',
        [
          `--bounding-set=${rights}`,
          '--inh-caps=-all',
          process.execPath,
          '--input-type=module',
          '-e',
          script,
        ],
        { encoding: 'utf8' },
      ).trim();
    assert.equal(runWith('-all,+net_raw'), '{"sent":1}');
    assert.match(runWith('-all'), /packet socket on cable-near: .*\(EPERM\).* capability NET_RAW/);
  });
});

it('a machine without Linux gets the modules, and a plain word when it calls', () => {
  const script = `
    Object.defineProperty(process, 'platform', { value: 'darwin' });
    const { PacketSocket } = await import(${JSON.stringify(new URL('packet-socket.ts', import.meta.url))});
    try { new PacketSocket({ link: { name: 'en0', index: 1 }, etherType: 1 }); }
    catch (error) { console.log(error.message); }`;
  const words = ['--input-type=module', '-e', script];
  const said = execFileSync(process.execPath, words, { encoding: 'utf8' });
  assert.match(said, /a speaker needs Linux for its packet sockets: this is darwin/);
});

const speakerFrame = ({ mac }: Host, payload: ArrayLike<number>): Uint8Array =>
  formatFrame({
    destination: speakersMac,
    source: mac,
    etherType: etherTypes.speaker,
    payload: Uint8Array.from(payload),
  });

const indexOf = ({ namespace, link }: Host): number =>
  Number.parseInt(ip('-n', namespace, '-oneline', 'link', 'show', link), 10);
