import { createHash } from 'node:crypto';
import type { Action, Candidates, Event } from '../core/action.ts';
import type { Message } from '../core/message.ts';
import { openSegment, type Segment } from '../core/segment.ts';
import { dueAtMs, step } from '../core/step.ts';
import { type Random, seeded } from './random.ts';
import { Timeline } from './timeline.ts';

/** How the wire treats frames. */
export type Wire = {
  loss: number;
  duplication: number;
  readonly delayMs: { low: number; high: number };
};

/** One simulated machine with its speaker's core, and what can be done to it. */
export type Node = {
  readonly name: string;
  readonly mac: string;
  segment: Segment | undefined;
  paused: boolean;
  linkUp: boolean;
  /** Nodes hear those of the same side only. */
  side: number;
  /** When it last came to hear others again. */
  reconnectedAtMs: number;
  hushed: boolean;
  sequence: bigint;
  waiting: Event[];
  readonly holding: Set<string>;
};

/** Frames that fit a packet socket's default receive buffer (measured: 264); later ones are dropped. */
const socketFrames = 264;

function machine(name: string, number: number): Node {
  return {
    name,
    mac: `02:00:00:00:00:${number.toString(16).padStart(2, '0')}`,
    segment: undefined,
    paused: false,
    linkUp: true,
    side: 0,
    reconnectedAtMs: -Infinity,
    hushed: false,
    sequence: 0n,
    waiting: [],
    holding: new Set(),
  };
}

/** An in-memory broadcast domain with real cores on it, simulated time and seeded faults. */
export class FakeSegment {
  readonly timeline = new Timeline();
  readonly random: Random;
  readonly nodes: Node[];
  readonly wire: Wire;
  /** Called after every step of a node, with what it did. */
  onActions: (node: Node, actions: readonly Action[]) => void = () => {};
  readonly #trace = createHash('sha256');
  readonly #pulseMs: number;
  #candidates: Candidates = new Map();
  frames = 0;

  constructor(options: { seed: number; nodes: number; pulseMs?: number; wire?: Partial<Wire> }) {
    this.random = seeded(options.seed);
    this.#pulseMs = options.pulseMs ?? 100;
    this.wire = { loss: 0, duplication: 0, delayMs: { low: 0.05, high: 0.5 }, ...options.wire };
    this.nodes = Array.from({ length: options.nodes }, (_, index) =>
      machine(`node-${index + 1}`, index + 1),
    );
  }

  /** Another machine with the name of this one, still off. */
  addTwin({ name }: Node): Node {
    const twin = machine(name, this.nodes.length + 1);
    this.nodes.push(twin);
    return twin;
  }

  get nowMs(): number {
    return this.timeline.nowMs;
  }

  get plannedAddresses(): number {
    return this.#candidates.size;
  }

  /** The same for the same seed and faults. */
  traceDigest(): string {
    return this.#trace.copy().digest('hex');
  }

  node(name: string): Node {
    const node = this.nodes.find((one) => one.name === name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  run(ms: number): void {
    this.timeline.runUntil(this.nowMs + ms);
  }

  start(node: Node): void {
    if (node.segment !== undefined) return;
    node.segment = openSegment({
      node: node.name,
      mac: node.mac,
      boot: this.#random64(),
      shortestPulseMs: this.#pulseMs,
      random: () => this.#random64(),
      nowMs: this.nowMs,
    });
    node.paused = false;
    node.sequence = 0n;
    if (!node.linkUp) this.step(node, { kind: 'link', up: false, mac: node.mac });
    this.step(node, { kind: 'plan', candidates: this.#candidates });
  }

  /** Power cut or kill -9: nothing is said, nothing is kept. */
  crash(node: Node): void {
    node.segment = undefined;
    node.hushed = false;
    node.waiting = [];
    node.holding.clear();
  }

  pause(node: Node): void {
    node.paused = true;
  }

  resume(node: Node): void {
    if (!node.paused) return;
    node.paused = false;
    const waiting = node.waiting.splice(0);
    for (const event of waiting) this.step(node, event);
    this.step(node, { kind: 'tick' });
  }

  leave(node: Node): void {
    this.step(node, { kind: 'leave' });
  }

  setLink(node: Node, up: boolean): void {
    node.linkUp = up;
    if (up) node.reconnectedAtMs = this.nowMs;
    this.step(node, { kind: 'link', up, mac: node.mac });
  }

  setSide(node: Node, side: number): void {
    node.side = side;
    node.reconnectedAtMs = this.nowMs;
  }

  /** The plan reaches each node up to `withinMs` later. */
  plan(candidates: Candidates, withinMs = 0): void {
    this.#candidates = candidates;
    for (const node of this.nodes) {
      if (withinMs === 0) this.step(node, { kind: 'plan', candidates });
      else {
        this.timeline.in(this.random.between(0, withinMs), () => {
          this.step(node, { kind: 'plan', candidates });
        });
      }
    }
  }

  connected(a: Node, b: Node): boolean {
    return a.linkUp && b.linkUp && a.side === b.side;
  }

  answers(node: Node, address: string): boolean {
    const awake = node.segment !== undefined && !node.paused && !node.hushed && node.linkUp;
    return awake && node.holding.has(address);
  }

  holders(address: string): readonly string[] {
    return this.nodes.filter((node) => this.answers(node, address)).map(({ name }) => name);
  }

  step(node: Node, event: Event): void {
    const { segment } = node;
    if (segment === undefined) return;
    if (node.paused) {
      if (event.kind !== 'frame' || node.waiting.length < socketFrames) node.waiting.push(event);
      return;
    }
    const actions = step(segment, event, this.nowMs);
    for (const action of actions) this.#carryOut(node, action);
    this.onActions(node, actions);
    const dueMs = dueAtMs(segment);
    if (dueMs === Infinity) return;
    this.timeline.at(dueMs, () => {
      // Only the latest of a node's alarms is still true.
      if (node.segment === segment && !node.paused && dueAtMs(segment) === dueMs) {
        this.step(node, { kind: 'tick' });
      }
    });
  }

  #carryOut(node: Node, action: Action): void {
    if (action.kind !== 'send') {
      this.#trace.update(`${this.nowMs.toFixed(6)} ${node.name} ${JSON.stringify(action)}\n`);
    }
    if (action.kind === 'send') this.#send(node, action.to, action.message);
    else if (action.kind === 'hold') node.holding.add(action.address);
    else if (action.kind === 'yield') node.holding.delete(action.address);
    else if (action.kind === 'hush') node.hushed = true;
    else if (action.kind === 'speak') node.hushed = false;
  }

  #send(from: Node, to: string, message: Message): void {
    const { boot } = from.segment ?? { boot: 0n };
    const event: Event = { kind: 'frame', boot, sequence: ++from.sequence, message };
    if (!from.linkUp) return;
    this.frames++;
    for (const node of this.nodes) {
      if (node === from || (to !== 'all' && node.mac !== to)) continue;
      const copies = this.random.chance(this.wire.duplication) ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        if (this.random.chance(this.wire.loss)) continue;
        const { low, high } = this.wire.delayMs;
        this.timeline.in(this.random.between(low, high), () => {
          if (this.connected(from, node)) this.step(node, event);
        });
      }
    }
  }

  #random64(): bigint {
    return (
      (BigInt(this.random.integer(0, 2 ** 32 - 1)) << 32n) |
      BigInt(this.random.integer(0, 2 ** 32 - 1))
    );
  }
}

/** A plan in which every node may hold every one of `count` addresses. */
export function everyNode(nodes: readonly Node[], count: number): Candidates {
  const all = nodes.map(({ name }) => ({ node: name, score: 0 }));
  return new Map(
    Array.from({ length: count }, (_, index) => [
      `198.51.${100 + (index >> 8)}.${index & 255}`,
      all,
    ]),
  );
}
