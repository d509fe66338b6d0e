import { randomBytes } from 'node:crypto';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Mac } from '../net/mac.ts';
import { rangesContain } from '../net/range.ts';
import { hasChanged, isAnnouncing } from './announcing-links.ts';
import { AnswerTimes } from './answer-times.ts';
import { Checkups } from './checkups.ts';
import { Datagrams } from './datagrams.ts';
import { Duties } from './duties.ts';
import { isFarewell } from './core/message.ts';
import { detoursAround } from './detours.ts';
import { kernelOpener } from './kernel-opener.ts';
import { LinkEvents } from './io/link-events.ts';
import { type Link, readLinks } from './io/link.ts';
import { Poll, Waker } from './io/poll.ts';
import type { Identity } from './identity.ts';
import { LinkSession } from './link-session.ts';
import type { Fact, Order, WireStart } from './orders.ts';
import type { PlanChange } from './plan-change.ts';
import { PulseRing } from './pulse-ring.ts';
import type { Speaker } from './roster.ts';
import type { Heard } from './speakers-socket.ts';
import { Whereabouts } from './whereabouts.ts';

/** How often the counters are reported. */
const countsEveryMs = 1000;
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
  readonly #questionsFds = new Set<number>();
  readonly #datagrams: Datagrams | undefined;
  readonly #answerTimes = new AnswerTimes();
  readonly #checkups: Checkups;
  readonly #duties = new Duties();
  #speakers: readonly Speaker[] = [];
  #leaving = false;
  #absent: readonly string[] = [];
  #stopped = false;
  #countedAtMs = 0;
  /** Of all links of this machine. */
  #macs: ReadonlySet<Mac> = new Set();
  readonly #whereabouts = new Whereabouts();

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
    this.#checkups = new Checkups({ ...start, nowMs, report });
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
    for (const session of this.#sessions.values()) {
      this.#checkups.close(session);
      session[Symbol.dispose]();
    }
    this.#linkEvents.close();
    this.#datagrams?.[Symbol.dispose]();
    this.#poll.close();
    this.#waker.close();
  }

  /** Waits; then whoever asks waits for the answer, and where nothing else has come and nothing is due, it comes at once. */
  #turn(): void {
    const hanging = process.hrtime.bigint() > Atomics.load(this.#start.mainAliveUntil, 0);
    if (hanging) {
      this.#poll.wait(lookAgainMs);
      this.#takeOrders();
      return;
    }
    const dueAtMs = this.#dueAtMs();
    const ready = this.#poll.wait(dueAtMs - this.#identity.nowMs());
    const wokeAtMs = this.#identity.nowMs();
    const isOnlyAsked = ready.every((fd) => this.#questionsFds.has(fd));
    if (!isOnlyAsked || wokeAtMs >= dueAtMs) this.#attend(ready);
    for (const session of this.#sessions.values()) {
      if (session.questionsFds.some((fd) => ready.includes(fd)))
        this.#answer(session, wokeAtMs, ready);
    }
    this.#count();
  }

  /** Everything but the questions; the speakers first, for what they say decides whether questions are answered. */
  #attend(ready: readonly number[]): void {
    if (ready.includes(this.#waker.fd)) this.#takeOrders();
    if (ready.includes(this.#linkEvents.fd)) this.#followLinks();
    const sessions = [...this.#sessions.values()];
    for (const session of sessions) {
      if (!ready.includes(session.speakersFd)) continue;
      for (const relayed of session.readSpeakers()) this.#hearFarewell(relayed);
    }
    if (this.#datagrams !== undefined && ready.includes(this.#datagrams.fd)) {
      this.#readDatagrams(this.#datagrams);
    }
    for (const session of sessions) session.tick();
    this.#checkups.run(ready);
    if (this.#leaving && sessions.every(({ hasLeft }) => hasLeft)) this.#sayLeft();
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
        rangesContain(link.networks, heard.from),
      );
      for (const session of here) session.hearDatagram(heard);
      if (here.length === 0) datagrams.deny(heard, { ...this.#identity, boot: this.#boot });
    }
  }

  /** Somebody whose link is dead says so by another way: the segment that it was on knows who it is. */
  #hearFarewell(heard: Heard): void {
    for (const session of this.#sessions.values()) session.hearFarewell(heard);
  }

  #answer(session: LinkSession, wokeAtMs: number, ready: readonly number[]): void {
    const answers = session.readQuestions(ready);
    if (answers > 0) this.#answerTimes.note(answers, this.#identity.nowMs() - wokeAtMs);
  }

  #dueAtMs(): number {
    const due = [...this.#sessions.values()].map((session) => session.dueAtMs());
    return Math.min(this.#countedAtMs + countsEveryMs, this.#checkups.dueAtMs(), ...due);
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
        this.#replan(this.#duties.adopt(order.change), order.speakers);
        break;
      case 'kubeProxy':
        this.#checkups.noteKubeProxy(order.diagnosis);
        break;
      case 'keys':
        this.#ring.adopt(order.keys);
        break;
      case 'leave':
        this.#leaving = true;
        for (const session of this.#sessions.values()) session.take({ kind: 'leave' });
        break;
      case 'stop':
        this.#stopped = true;
        break;
    }
  }

  #replan(change: PlanChange, speakers: readonly Speaker[]): void {
    this.#speakers = speakers;
    for (const session of this.#sessions.values()) {
      session.distrust(this.#duties.quarantines);
      if (change.whole) session.adopt(this.#duties.all, speakers);
      else session.amend(change, speakers);
    }
  }

  /** Opens, follows and closes sessions so that there is one for each announcing link as it is now. */
  #followLinks(): void {
    this.#linkEvents.drain();
    const links = new Map(readLinks().map((link) => [link.name, link]));
    this.#macs = new Set([...links.values()].flatMap(({ mac }) => mac ?? []));
    for (const [name, session] of this.#sessions) {
      const link = links.get(name);
      if (link === undefined || !session.isOn(link) || !isAnnouncing(link, this.#start)) {
        this.#close(name, session);
      } else if (hasChanged(session.link, link)) {
        session.follow(link);
        session.adopt(this.#duties.all, this.#speakers);
      }
    }
    for (const link of links.values()) {
      const wanted = !this.#leaving && isAnnouncing(link, this.#start);
      if (wanted && !this.#sessions.has(link.name)) this.#open(link);
    }
    this.#missLinks(this.#start.links?.filter((name) => !links.has(name)) ?? []);
    this.#tellWhereabouts();
  }

  #tellWhereabouts(): void {
    const links = Array.from(this.#sessions.values(), ({ link }) => link);
    const networks = this.#whereabouts.look(links, this.#identity.nowMs());
    if (networks !== undefined) report({ kind: 'networks', networks });
  }

  #missLinks(absent: readonly string[]): void {
    if (String(absent) === String(this.#absent)) return;
    this.#absent = absent;
    report({ kind: 'absent', links: absent });
  }

  #open(link: Link): void {
    const { mac } = link;
    if (mac === undefined) return;
    const session = new LinkSession({ ...link, mac }, this.#identity);
    this.#sessions.set(link.name, session);
    this.#checkups.open(session);
    for (const fd of this.#fdsOf(session)) this.#poll.add(fd);
    for (const fd of session.questionsFds) this.#questionsFds.add(fd);
    report({ kind: 'joined', link: link.name, mac, responder: session.responder });
    session.distrust(this.#duties.quarantines);
    session.adopt(this.#duties.all, this.#speakers);
  }

  #close(name: string, session: LinkSession): void {
    session.lose();
    for (const fd of this.#fdsOf(session)) this.#poll.remove(fd);
    for (const fd of session.questionsFds) this.#questionsFds.delete(fd);
    this.#checkups.close(session);
    session[Symbol.dispose]();
    this.#sessions.delete(name);
    report({ kind: 'gone', link: name });
  }

  #fdsOf(session: LinkSession): readonly number[] {
    return [session.speakersFd, ...session.questionsFds, ...this.#checkups.fdsOf(session)];
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
    report({ kind: 'counts', counts, answerTimes: this.#answerTimes.counts() });
    if (this.#whereabouts.isDue(nowMs)) this.#tellWhereabouts();
  }
}

function report(fact: Fact): void {
  parentPort?.postMessage(fact);
}

// The main thread starts this file with exactly these.
new WireThread(workerData as WireStart).run();
