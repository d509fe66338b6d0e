import { createHash } from 'node:crypto';
import type { Action, Candidates, Event, Listed, Roster } from '../core/action.ts';
import type { Destination, Message } from '../core/message.ts';
import type { Segment } from '../core/segment.ts';
import { dueAtMs } from '../core/step.ts';
import { type Core, soundCore } from './core.ts';
import { listing, withoutSelf } from './listing.ts';
import { Machine } from './machine.ts';
import { type Random, seeded } from './random.ts';
import { Timeline } from './timeline.ts';
import { cleanWire, isFor, passes, type Wire } from './wire.ts';

/** Frames that fit a packet socket's default receive buffer (measured: 264); later ones are dropped. */
export const socketFrames = 264;
/** More nodes than that are a crowd. */
const crowd = 40;
/** What a skewed clock is rounded by must not wake a node too early. */
const roundingMs = 0.001;

type Options = {
  readonly seed: number;
  readonly nodes: number;
  readonly pulseMs?: number;
  readonly wire?: Partial<Wire>;
  readonly core?: Core;
  readonly timeline?: Timeline;
  /** How long messages take at most by another way than this segment; undefined: there is none. */
  readonly detourMs?: number | undefined;
};

/** An in-memory broadcast domain with real cores on it, simulated time and seeded faults. */
export class FakeSegment {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly nodes: Machine[];
  readonly wire: Wire;
  readonly pulseMs: number;
  /** Called after every step of a node, with what it did. */
  onActions: (node: Machine, actions: readonly Action[]) => void = () => {};
  /** Called with what happens, for the trace of one run. */
  onTrace?: (line: string) => void;
  /** Whether a node has a key for what another one says. */
  opens: (node: Machine, from: Machine) => boolean = () => true;
  /** Until when nothing arrives. */
  deafUntilMs = -Infinity;
  frames = 0;
  datagrams = 0;
  readonly #core: Core;
  readonly #detourMs: number | undefined;
  readonly #trace = createHash('sha256');
  #candidates: Candidates = new Map();
  #roster: Roster = new Map();
  #planVersion = 0;

  constructor({ seed, nodes, pulseMs = 100, wire, core = soundCore, timeline, detourMs }: Options) {
    this.timeline = timeline ?? new Timeline();
    this.random = seeded(seed);
    this.pulseMs = pulseMs;
    this.wire = { ...cleanWire, ...wire };
    this.nodes = Array.from(
      { length: nodes },
      (_, index) => new Machine(`node-${index + 1}`, index + 1),
    );
    this.#core = core;
    this.#detourMs = detourMs;
  }

  /** Another machine with the name of this one, still off. */
  addTwin({ name }: Machine): Machine {
    const twin = new Machine(name, this.nodes.length + 1);
    this.nodes.push(twin);
    return twin;
  }

  get nowMs(): number {
    return this.timeline.nowMs;
  }

  get candidates(): Candidates {
    return this.#candidates;
  }

  /** The same for the same seed and faults. */
  traceDigest(): string {
    return this.#trace.copy().digest('hex');
  }

  node(name: string): Machine {
    const node = this.nodes.find((one) => one.name === name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  run(ms: number): void {
    this.timeline.runUntil(this.nowMs + ms);
  }

  start(node: Machine): void {
    if (node.segment !== undefined) return;
    node.segment = this.#core.open({
      node: node.name,
      mac: node.mac,
      boot: this.random.integer64(),
      shortestPulseMs: this.pulseMs,
      random: () => this.random.integer64(),
      nowMs: node.localMs(this.nowMs),
    });
    node.paused = false;
    node.sequence = 0n;
    node.alarmAtMs = Infinity;
    if (!node.linkUp) this.step(node, { kind: 'link', up: false, mac: node.mac });
    node.planVersion = this.#planVersion;
    this.step(node, {
      kind: 'plan',
      candidates: this.#candidates,
      roster: withoutSelf(this.#roster, node),
    });
  }

  /** Power cut or kill -9: nothing is said, nothing is kept. */
  crash(node: Machine): void {
    node.segment = undefined;
    node.hushed = false;
    node.waiting = [];
    node.holding.clear();
  }

  /** It stands still, and so many frames wait for it. */
  pause(node: Machine, frames = socketFrames): void {
    node.paused = true;
    node.waitsFor = frames;
  }

  resume(node: Machine): void {
    if (!node.paused) return;
    node.paused = false;
    const waiting = node.waiting.splice(0);
    for (const event of waiting) this.step(node, event);
    this.step(node, { kind: 'tick' });
  }

  leave(node: Machine): void {
    this.step(node, { kind: 'leave' });
  }

  setLink(node: Machine, up: boolean): void {
    node.linkUp = up;
    if (up) node.reconnectedAtMs = this.nowMs;
    this.step(node, { kind: 'link', up, mac: node.mac });
  }

  setSide(node: Machine, side: number): void {
    node.side = side;
    node.reconnectedAtMs = this.nowMs;
  }

  /** The plan reaches each node up to `withinMs` later; one that is overtaken by a newer one is never seen. */
  plan(candidates: Candidates, withinMs = 0): void {
    this.#candidates = candidates;
    this.#spread(withinMs);
  }

  /** Which nodes have a speaker that is ready, as the API has it. */
  list(ready: readonly Machine[], withinMs = 0, others: Listed['state'] = 'NodeLost'): void {
    this.#roster = listing(this.nodes, ready, others);
    this.#spread(withinMs);
  }

  #spread(withinMs: number): void {
    const candidates = this.#candidates;
    const roster = this.#roster;
    const version = ++this.#planVersion;
    const deliver = (node: Machine): void => {
      if (node.planVersion > version) return;
      node.planVersion = version;
      this.step(node, { kind: 'plan', candidates, roster: withoutSelf(roster, node) });
    };
    for (const node of this.nodes) {
      if (withinMs === 0) deliver(node);
      else this.timeline.in(this.random.between(0, withinMs), () => deliver(node));
    }
  }

  connected(a: Machine, b: Machine): boolean {
    return a.linkUp && b.linkUp && a.side === b.side;
  }

  answers(node: Machine, address: string): boolean {
    return node.isAnswering && node.holding.has(address);
  }

  holders(address: string): readonly string[] {
    return this.nodes.filter((node) => this.answers(node, address)).map(({ name }) => name);
  }

  step(node: Machine, event: Event): void {
    const { segment } = node;
    if (segment === undefined) return;
    if (node.paused) {
      if (event.kind !== 'frame' || node.waiting.length < node.waitsFor) node.waiting.push(event);
      return;
    }
    const nowMs = node.localMs(this.nowMs);
    const actions = this.#core.step(segment, event, nowMs);
    for (const action of actions) this.#carryOut(node, action);
    this.onActions(node, actions);
    // What is heard rings an alarm earlier only where it led to something, or to vacancies that are to be looked at soon.
    const { vacanciesDueAtMs } = segment;
    const soon = vacanciesDueAtMs > nowMs && vacanciesDueAtMs < Infinity;
    if (event.kind !== 'frame' || actions.length > 0 || soon) this.#setAlarm(node, segment);
  }

  /** One alarm for each node, at the earliest time that it asked for; what is due by then is seen when it rings. */
  #setAlarm(node: Machine, segment: Segment): void {
    const dueMs = dueAtMs(segment);
    if (dueMs === Infinity) return;
    const exact = node.globalMs(dueMs);
    const atMs = Math.max(node.isSkewed ? exact + roundingMs : exact, this.nowMs);
    if (atMs >= node.alarmAtMs) return;
    node.alarmAtMs = atMs;
    this.timeline.at(atMs, () => {
      if (node.segment !== segment || node.alarmAtMs !== atMs) return;
      node.alarmAtMs = Infinity;
      if (node.paused) return;
      if (dueAtMs(segment) <= node.localMs(this.nowMs)) this.step(node, { kind: 'tick' });
      else this.#setAlarm(node, segment);
    });
  }

  #carryOut(node: Machine, action: Action): void {
    if (action.kind === 'send') {
      this.#send(node, action.to, action.message);
      return;
    }
    const line = `${this.nowMs.toFixed(3)} ${node.name} ${JSON.stringify(action)}\n`;
    this.#trace.update(line);
    this.onTrace?.(line);
    if (action.kind === 'hold') node.holding.add(action.address);
    else if (action.kind === 'yield') node.holding.delete(action.address);
    else if (action.kind === 'hush') node.hushed = true;
    else if (action.kind === 'speak') node.hushed = false;
  }

  #send(from: Machine, to: Destination, message: Message): void {
    const { boot } = from.segment ?? { boot: 0n };
    const by = typeof to === 'object' ? ({ by: 'datagram' } as const) : {};
    const event: Event = { kind: 'frame', boot, sequence: ++from.sequence, message, ...by };
    if (to === 'elsewhere') this.#sendElsewhere(from, { ...event, by: 'datagram' });
    if (!from.linkUp || to === 'elsewhere') return;
    if (typeof to === 'object') this.datagrams++;
    else this.frames++;
    if (to === 'all' && this.nodes.length > crowd) {
      this.#sendToCrowd(from, event);
      return;
    }
    const { loss, duplication, delayMs } = this.wire;
    for (const node of this.nodes) {
      if (node === from || !isFor(node, to)) continue;
      const copies = duplication > 0 && this.random.chance(duplication) ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        if (loss > 0 && this.random.chance(loss)) continue;
        const arrivesAtMs = this.nowMs + this.random.between(delayMs.low, delayMs.high);
        if (arrivesAtMs < this.deafUntilMs) continue;
        this.timeline.at(arrivesAtMs, () => {
          if (this.#reaches({ from, node, to })) this.step(node, event);
        });
      }
    }
  }

  /** Past this segment, and however it is: only a node that is off is not reached. */
  #sendElsewhere(from: Machine, event: Event): void {
    if (this.#detourMs === undefined) return;
    for (const node of this.nodes) {
      if (node === from || this.random.chance(this.wire.loss)) continue;
      this.timeline.in(this.random.between(0.05, this.#detourMs), () => {
        if (this.opens(node, from)) this.step(node, event);
      });
    }
  }

  #reaches(way: { from: Machine; node: Machine; to: Destination }): boolean {
    const { from, node } = way;
    return this.connected(from, node) && passes(this.wire, way) && this.opens(node, from);
  }

  /** To hundreds of nodes a frame comes at the same time. */
  #sendToCrowd(from: Machine, event: Event): void {
    const { loss, delayMs } = this.wire;
    const arrivesAtMs = this.nowMs + this.random.between(delayMs.low, delayMs.high);
    if (arrivesAtMs < this.deafUntilMs) return;
    this.timeline.at(arrivesAtMs, () => {
      for (const node of this.nodes) {
        if (node === from || !this.#reaches({ from, node, to: 'all' })) continue;
        if (loss === 0 || !this.random.chance(loss)) this.step(node, event);
      }
    });
  }
}
