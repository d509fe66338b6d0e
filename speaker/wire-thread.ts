import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { NodeNetworkStatus } from '../crds/node-network.ts';
import type { Mac } from '../net/mac.ts';
import { rangeContains } from '../net/range.ts';
import { Datagrams } from './datagrams.ts';
import { isFarewell } from './core/message.ts';
import { detoursAround } from './detours.ts';
import { kernelOpener } from './kernel-opener.ts';
import { LinkEvents } from './io/link-events.ts';
import { type Link, readGateways, readLinks } from './io/link.ts';
import { Poll, Waker } from './io/poll.ts';
import type { Identity } from './identity.ts';
import { LinkSession } from './link-session.ts';
import { describeNetworks } from './networks.ts';
import type { Fact, Order, WireStart } from './orders.ts';
import type { Plan } from './plan.ts';
import { PulseRing } from './pulse-ring.ts';
import type { Speaker } from './roster.ts';
import type { Heard } from './speakers-socket.ts';

/** How often the counters are reported. */
const countsEveryMs = 1000;
/** How often the gateways are looked at. */
const networksEveryMs = 60_000;
/** While the main thread hangs, how often to look whether it is back. */
const lookAgainMs = 50;

/**
 * The thread that owns sockets, membership, election and announcing. It never waits for anything but the wire, its
 * alarms and orders; while the main thread hangs it says nothing, so that peers take over.
 */
class WireThread {
  readonly #start: WireStart;
  readonly #identity: Identity;
  readonly #ring: PulseRing;
  /** What this process says where it has no session. */
  readonly #boot: bigint;
  readonly #poll = new Poll();
  readonly #waker = new Waker();
  readonly #linkEvents = new LinkEvents();
  readonly #sessions = new Map<string, LinkSession>();
  readonly #datagrams: Datagrams | undefined;
  #plan: Plan = new Map();
  #speakers: readonly Speaker[] = [];
  #leaving = false;
  #absent: readonly string[] = [];
  #stopped = false;
  #countedAtMs = 0;
  #networks: NodeNetworkStatus | undefined;
  /** Of all links of this machine. */
  #macs: ReadonlySet<Mac> = new Set();
  #toldNetworksAtMs = 0;

  constructor(start: WireStart) {
    let sequence = 0n;
    const random64 = () => randomBytes(8).readBigUInt64BE();
    this.#start = start;
    const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
    this.#ring = new PulseRing(start.keys, nowMs);
    this.#identity = {
      node: start.node,
      ring: this.#ring,
      shortestPulseMs: start.shortestPulseMs,
      witnessMs: start.witnessSeconds * 1000,
      probeMs: start.probeMs,
      macs: () => this.#macs,
      boots: new Set(),
      nextSequence: () => ++sequence,
      said: () => sequence,
      sendDatagram: (bytes, to) => this.#datagrams?.send(bytes, to),
      random64,
      random: () => randomBytes(4).readUInt32BE() / 2 ** 32,
      nowMs,
      report,
      detoursAround: (link) =>
        detoursAround(link, {
          node: start.node,
          links: this.#sessions.values(),
          speakers: this.#datagrams === undefined ? [] : this.#speakers,
          sendDatagram: this.#identity.sendDatagram,
        }),
      answerInKernel: kernelOpener(start.responder, report),
    };
    this.#boot = random64();
    if (start.pulsePort > 0) this.#datagrams = new Datagrams(start.pulsePort, this.#identity);
  }

  /** Runs until it is told to stop. */
  run(): void {
    this.#poll.add(this.#waker.fd);
    this.#poll.add(this.#linkEvents.fd);
    if (this.#datagrams !== undefined) this.#poll.add(this.#datagrams.fd);
    this.#followLinks();
    report({ kind: 'ready', wakerFd: this.#waker.fd });
    while (!this.#stopped) this.#turn();
    for (const session of this.#sessions.values()) session[Symbol.dispose]();
    this.#linkEvents.close();
    this.#datagrams?.[Symbol.dispose]();
    this.#poll.close();
    this.#waker.close();
  }

  /** Waits, then reads the speakers before anything else: what they say decides whether questions are answered. */
  #turn(): void {
    const hanging = process.hrtime.bigint() > Atomics.load(this.#start.mainAliveUntil, 0);
    if (hanging) {
      this.#poll.wait(lookAgainMs);
      this.#takeOrders();
      return;
    }
    const ready = new Set(this.#poll.wait(this.#dueAtMs() - this.#identity.nowMs()));
    if (ready.has(this.#waker.fd)) this.#takeOrders();
    if (ready.has(this.#linkEvents.fd)) this.#followLinks();
    const sessions = [...this.#sessions.values()];
    for (const session of sessions) {
      if (!ready.has(session.speakersFd)) continue;
      for (const relayed of session.readSpeakers()) this.#hearFarewell(relayed);
    }
    if (this.#datagrams !== undefined && ready.has(this.#datagrams.fd)) {
      this.#readDatagrams(this.#datagrams);
    }
    for (const session of sessions) session.tick();
    for (const session of sessions) {
      if (session.questionsFds.some((fd) => ready.has(fd))) session.readQuestions();
    }
    if (this.#leaving && sessions.every(({ hasLeft }) => hasLeft)) this.#sayLeft();
    this.#count();
  }

  /** A datagram is for the link in whose network its sender is. */
  #readDatagrams(datagrams: Datagrams): void {
    for (const heard of datagrams.hear()) {
      if (this.#identity.boots.has(heard.boot)) continue;
      if (isFarewell(heard.message)) {
        this.#hearFarewell(heard);
        continue;
      }
      const here = [...this.#sessions.values()].filter(({ link }) =>
        link.networks.some((network) => rangeContains(network, heard.from)),
      );
      for (const session of here) session.hearDatagram(heard);
      if (here.length === 0) datagrams.deny(heard, { ...this.#identity, boot: this.#boot });
    }
  }

  /** Somebody whose link is dead says so by another way: the segment that it was on knows who it is. */
  #hearFarewell(heard: Heard): void {
    for (const session of this.#sessions.values()) session.hearFarewell(heard);
  }

  #dueAtMs(): number {
    const due = [...this.#sessions.values()].map((session) => session.dueAtMs());
    return Math.min(this.#countedAtMs + countsEveryMs, ...due);
  }

  #takeOrders(): void {
    this.#waker.drain();
    for (;;) {
      const received: { message: Order } | undefined = receiveMessageOnPort(this.#start.orders);
      if (received === undefined) return;
      this.#obey(received.message);
    }
  }

  #obey(order: Order): void {
    switch (order.kind) {
      case 'plan':
        this.#plan = order.plan;
        this.#speakers = order.speakers;
        for (const session of this.#sessions.values()) session.adopt(order.plan, order.speakers);
        break;
      case 'keys':
        this.#ring.adopt(order.keys);
        break;
      case 'leave':
        this.#leaving = true;
        for (const session of this.#sessions.values()) session.leave();
        break;
      case 'stop':
        this.#stopped = true;
        break;
    }
  }

  /** Opens, follows and closes sessions so that there is one for each announcing link as it is now. */
  #followLinks(): void {
    this.#linkEvents.drain();
    const links = new Map(readLinks().map((link) => [link.name, link]));
    this.#macs = new Set([...links.values()].flatMap(({ mac }) => mac ?? []));
    for (const [name, session] of this.#sessions) {
      const link = links.get(name);
      if (link === undefined || !session.isOn(link) || !this.#isAnnouncing(link)) {
        this.#close(name, session);
      } else if (changed(session.link, link)) {
        session.follow(link);
        session.adopt(this.#plan, this.#speakers);
      }
    }
    for (const link of links.values()) {
      const wanted = !this.#leaving && this.#isAnnouncing(link);
      if (wanted && !this.#sessions.has(link.name)) this.#open(link);
    }
    this.#missLinks(this.#start.links?.filter((name) => !links.has(name)) ?? []);
    this.#tellNetworks();
  }

  /** Where this node stands. A route may change although no link does: so it is looked at now and then, too. */
  #tellNetworks(): void {
    this.#toldNetworksAtMs = this.#identity.nowMs();
    const links = Array.from(this.#sessions.values(), ({ link }) => link);
    const networks = describeNetworks(links, readGateways());
    if (isDeepStrictEqual(networks, this.#networks)) return;
    this.#networks = networks;
    report({ kind: 'networks', networks });
  }

  #missLinks(absent: readonly string[]): void {
    if (String(absent) === String(this.#absent)) return;
    this.#absent = absent;
    report({ kind: 'absent', links: absent });
  }

  /** A link that the settings name is taken at their word. One that becomes a port speaks for nobody: its bridge does. */
  #isAnnouncing({ name, loopback, mac, resolves, enslaved }: Link): boolean {
    const { links, excludedLinks } = this.#start;
    if (loopback || mac === undefined) return false;
    if (links !== undefined) return links.includes(name);
    return resolves && !enslaved && !excludedLinks.some((pattern) => pattern.test(name));
  }

  #open(link: Link): void {
    const { mac } = link;
    if (mac === undefined) return;
    const session = new LinkSession({ ...link, mac }, this.#identity);
    this.#sessions.set(link.name, session);
    for (const fd of [session.speakersFd, ...session.questionsFds]) this.#poll.add(fd);
    report({ kind: 'joined', link: link.name, mac, responder: session.responder });
    session.adopt(this.#plan, this.#speakers);
  }

  #close(name: string, session: LinkSession): void {
    session.lose();
    for (const fd of [session.speakersFd, ...session.questionsFds]) this.#poll.remove(fd);
    session[Symbol.dispose]();
    this.#sessions.delete(name);
    report({ kind: 'gone', link: name });
  }

  #sayLeft(): void {
    this.#leaving = false;
    report({ kind: 'left' });
  }

  #count(): void {
    const nowMs = this.#identity.nowMs();
    if (nowMs - this.#countedAtMs < countsEveryMs) return;
    this.#countedAtMs = nowMs;
    const counts = Array.from(this.#sessions.values(), (session) => session.counts());
    report({ kind: 'counts', counts });
    if (nowMs - this.#toldNetworksAtMs >= networksEveryMs) this.#tellNetworks();
  }
}

/** Whether anything about a link changed that its session goes by. */
function changed(before: Link, now: Link): boolean {
  const gist = ({ running, mac, addresses }: Link) =>
    [
      running,
      mac,
      ...addresses.map(
        ({ address, prefixLength, settled }) => `${address.value}/${prefixLength} ${settled}`,
      ),
    ].join(' ');
  return gist(before) !== gist(now);
}

function report(fact: Fact): void {
  parentPort?.postMessage(fact);
}

// The main thread starts this file with exactly these.
new WireThread(workerData as WireStart).run();
