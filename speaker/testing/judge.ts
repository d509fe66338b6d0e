import type { Action } from '../core/action.ts';
import type { FakeSegment } from './fake-segment.ts';
import type { Machine } from './machine.ts';
import type { Rule, Violation } from './rule.ts';
import { findingMs, type Muted, type Tolerated, toleratedMs } from './tolerance.ts';

/** For so long after something happened to a node, its addresses may move. */
const aftermathMs = 2000;

/** Watches one segment while a schedule is played on it. */
export class Judge {
  readonly violations: Violation[] = [];
  readonly #segment: FakeSegment;
  readonly #tolerated: Tolerated;
  readonly #doubleSinceMs = new Map<string, number>();
  readonly #movedAtMs = new Map<string, number>();
  /** When something last happened to a node, to who hears whom, to the plan. */
  readonly #disturbedAtMs = new Map<Machine, number>();
  #regroupedAtMs = -Infinity;
  #muted: Muted = { fromMs: -Infinity, untilMs: -Infinity };
  #replannedAtMs = 0;
  /** Addresses that are moved as planned: there must always be an answer. */
  #guarded: readonly string[] = [];
  #disturbances = 0;
  #ailedAtMs = -Infinity;

  constructor(segment: FakeSegment, tolerated: Tolerated) {
    this.#segment = segment;
    this.#tolerated = tolerated;
    segment.onActions = (node, actions) => this.#follow(node, actions);
  }

  get #nowMs(): number {
    return this.#segment.nowMs;
  }

  /** Nothing has happened for so long that nothing is under way. */
  get #isCalm(): boolean {
    const latestMs = Math.max(
      this.#regroupedAtMs,
      this.#replannedAtMs,
      this.#muted.untilMs,
      this.#ailedAtMs,
      ...this.#disturbedAtMs.values(),
    );
    const allActive = this.#segment.nodes.every(({ segment }) => segment?.phase === 'active');
    return !this.#tolerated.lossy && allActive && this.#nowMs - latestMs > aftermathMs;
  }

  /** To be called before anything is done to a node. */
  disturb(node: Machine): void {
    this.#guarded = [];
    this.#disturbances++;
    this.#disturbedAtMs.set(node, this.#nowMs);
  }

  /** To be called when nodes begin or cease to hear each other. */
  regroup(node: Machine): void {
    this.disturb(node);
    this.#regroupedAtMs = this.#nowMs;
  }

  /** To be called when a node's health changes, for whatever many have: no reason to move anything. */
  ail(): void {
    this.#disturbances++;
    this.#ailedAtMs = this.#nowMs;
  }

  /** How often anything was done so far. */
  get disturbances(): number {
    return this.#disturbances;
  }

  replan(withinMs: number): void {
    this.#guarded = [];
    this.#disturbances++;
    this.#replannedAtMs = this.#nowMs + withinMs;
  }

  /** To be called when every frame is lost for a moment: a reason to be late, none to move anything. */
  blackout(untilMs: number): void {
    this.#guarded = [];
    this.#muted = { fromMs: this.#nowMs, untilMs: Math.max(this.#muted.untilMs, untilMs) };
    this.#disturbances++;
  }

  /**
   * To be called before a node falls silent: it has to be replaced soon, if nothing else happens, and as soon as its
   * goodbye has arrived where it can say one.
   */
  expectTakeover(node: Machine, farewellMs = Infinity): void {
    if (!this.#isCalm || !node.isAnswering || this.#segment.nodes.length < 2) return;
    const held = [...node.holding];
    const others = this.#segment.nodes.filter((one) => one !== node && one.isAnswering);
    if (!others.some((one) => this.#segment.connected(one, node))) return;
    const { pulseMs, exchangeMs } = this.#tolerated;
    const withinMs = Math.min(3 * pulseMs, farewellMs) + exchangeMs;
    const disturbances = this.#disturbances + 1;
    this.#segment.timeline.in(withinMs, () => {
      if (this.#disturbances !== disturbances) return;
      for (const address of held) {
        if (this.#holders(address).length > 0) continue;
        this.report(
          'QuickTakeover',
          `${address} has no holder ${withinMs} ms after it fell silent`,
        );
      }
    });
  }

  /** To be called when a node has been told to leave: while nothing else happens, none of its addresses falls silent. */
  expectNoGap(node: Machine, wasCalm: boolean): void {
    if (!wasCalm || !this.#segment.nodes.some((one) => one !== node && one.isAnswering)) return;
    this.#guarded = [...node.holding];
  }

  /** The same for every address of the segment. */
  expectNoGaps(wasCalm: boolean): void {
    if (wasCalm) this.#guarded = this.#segment.nodes.flatMap(({ holding }) => [...holding]);
  }

  get isCalm(): boolean {
    return this.#isCalm;
  }

  /** To be called after who hears whom, or who is there, was changed from outside. */
  lookAtAll(): void {
    const holders = new Map<string, Machine[]>();
    for (const node of this.#segment.nodes) {
      if (!node.isAnswering) continue;
      for (const address of node.holding) {
        const before = holders.get(address);
        if (before === undefined) holders.set(address, [node]);
        else before.push(node);
      }
    }
    for (const address of this.#doubleSinceMs.keys()) {
      if (!holders.has(address)) holders.set(address, []);
    }
    for (const [address, nodes] of holders) this.#look(address, nodes);
  }

  /** To be called before a machine goes on that heard nothing meanwhile: of who was found then it hears only now. */
  thaw(frozenAtMs: number): void {
    for (const node of this.#segment.nodes) {
      const wasFound = node.reconnectedAtMs + findingMs(this.#tolerated) < frozenAtMs;
      if (!wasFound) node.reconnectedAtMs = this.#nowMs;
    }
  }

  /** To be called when a node that stood still goes on: it answers for nothing that others have taken meanwhile. */
  lookAtThawed(node: Machine): void {
    if (!node.isAnswering || this.#tolerated.lossy) return;
    // Whoever stands still in the middle of a planned move learns with the next handover that it is done.
    if (node.segment?.phase === 'leaving') return;
    const latestMs = Math.max(this.#regroupedAtMs, this.#muted.untilMs, this.#replannedAtMs);
    if (this.#nowMs - latestMs < aftermathMs) return;
    for (const address of node.holding) {
      // What it takes now, it takes from somebody who died while it stood still.
      if (this.#movedAtMs.get(address) === this.#nowMs) continue;
      const other = this.#holders(address).find(
        (one) => one !== node && this.#segment.connected(one, node),
      );
      // Who stood still itself has missed pulses of this one, and waited for less.
      if (other === undefined || this.#wasDisturbed(other)) continue;
      const both = `${node.name} and ${other.name}`;
      this.report('NoTwoHolders', `${both} both answer for ${address} after a stall`);
      return;
    }
  }

  /** To be called when all is quiet: every address that somebody can hold has one holder. */
  lookAtRest(): void {
    if (!this.#segment.nodes.some(({ segment }) => segment?.phase === 'active')) return;
    for (const address of this.#segment.candidates.keys()) {
      const names = this.#holders(address).map(({ name }) => name);
      if (names.length === 1) continue;
      this.report('OneHolderAtRest', `${address} is held by ${names.join(' and ') || 'nobody'}`);
    }
  }

  /** To be called when all nodes have started and nothing has happened since. */
  lookAtSpread(): void {
    if (this.#tolerated.lossy) return;
    const loads = this.#segment.nodes.map(({ holding }) => holding.size);
    if (Math.max(...loads) - Math.min(...loads) > 1) this.report('Spread', loads.join(' '));
  }

  /** To be called with the frames of a quiet second: one pulse of each node every interval and nothing else. */
  lookAtFrames(frames: number, ms: number): void {
    const { nodes } = this.#segment;
    const most = nodes.length * (Math.ceil(ms / this.#tolerated.pulseMs) + 1);
    const heard = ((nodes.length - 1) * 1000) / this.#tolerated.pulseMs;
    if (frames > most) this.report('FewMessages', `${frames} frames in ${ms} ms, not ${most}`);
    if (heard > 1000) this.report('FewMessages', `${heard} pulses a second at every node`);
  }

  #follow(node: Machine, actions: readonly Action[]): void {
    for (const action of actions) {
      if (action.kind === 'hold') this.#followHold(node, action.address);
      if (action.kind === 'hold' || action.kind === 'yield') {
        this.#look(action.address, this.#holders(action.address));
      }
      if (action.kind === 'hush' || action.kind === 'speak') this.lookAtAll();
    }
    if (this.#guarded.length === 0 || actions.length === 0) return;
    for (const address of this.#guarded) {
      if (this.#holders(address).length > 0) continue;
      this.report('NoGapInAMove', `nobody answers for ${address}`);
      this.#guarded = [];
      return;
    }
  }

  /** A holder to which nothing happened, and which the new one hears, should have kept its address. */
  #followHold(to: Machine, address: string): void {
    const movedAtMs = this.#movedAtMs.get(address) ?? -Infinity;
    this.#movedAtMs.set(address, this.#nowMs);
    // Who took it at the same time, or a moment before, is heard when the frame arrives.
    const wasStill = this.#wasDisturbed(to) && this.#isRecent(movedAtMs);
    const unheard = wasStill || this.#nowMs - movedAtMs <= this.#toleratedMs(movedAtMs);
    const excused =
      unheard || this.#isRecent(this.#regroupedAtMs) || this.#isRecent(this.#replannedAtMs);
    if (excused || this.#tolerated.apart) return;
    for (const from of this.#holders(address)) {
      if (from === to || !this.#segment.connected(from, to)) continue;
      if (this.#wasDisturbed(from)) continue;
      // That the other one has had a failure, too, may be among the frames that were lost; that one is well again, under way.
      const seemsWell = to.health === 'well' || (this.#tolerated.lossy && to.health === 'unsure');
      const asked =
        from.health === 'sick' || this.#nowMs - from.sickUntilMs <= this.#tolerated.exchangeMs;
      if (asked && seemsWell) continue;
      this.report('NoNeedlessMove', `${to.name} took ${address} from ${from.name}`);
    }
  }

  #isRecent(atMs: number): boolean {
    return this.#nowMs - atMs < aftermathMs;
  }

  #wasDisturbed(node: Machine): boolean {
    return this.#isRecent(this.#disturbedAtMs.get(node) ?? 0);
  }

  #holders(address: string): Machine[] {
    return this.#segment.nodes.filter((node) => this.#segment.answers(node, address));
  }

  #look(address: string, holders: readonly Machine[]): void {
    const pair = holders.length < 2 ? undefined : this.#connectedPair(holders);
    if (pair === undefined) {
      this.#doubleSinceMs.delete(address);
      return;
    }
    if (this.#doubleSinceMs.has(address)) return;
    const sinceMs = this.#nowMs;
    this.#doubleSinceMs.set(address, sinceMs);
    this.#judgeDouble(address, sinceMs, pair);
  }

  #judgeDouble(address: string, sinceMs: number, pair: readonly [Machine, Machine]): void {
    const untilMs = sinceMs + this.#toleratedMs(sinceMs);
    this.#segment.timeline.at(untilMs, () => {
      if (this.#doubleSinceMs.get(address) !== sinceMs) return;
      const { nowMs } = this.#segment;
      if (sinceMs + this.#toleratedMs(sinceMs) > nowMs) {
        this.#judgeDouble(address, sinceMs, pair);
        return;
      }
      const names = pair.map(({ name }) => name).join(' and ');
      const ms = (nowMs - sinceMs).toFixed(1);
      this.report('NoTwoHolders', `${names} both answer for ${address} for ${ms} ms`);
    });
  }

  #connectedPair(holders: readonly Machine[]): readonly [Machine, Machine] | undefined {
    for (const a of holders) {
      for (const b of holders) {
        if (a.name < b.name && this.#segment.connected(a, b)) return [a, b];
      }
    }
    return undefined;
  }

  #toleratedMs(sinceMs: number): number {
    const reconnectedAtMs = this.#segment.nodes.map((node) => node.reconnectedAtMs);
    return toleratedMs(this.#tolerated, { reconnectedAtMs, muted: this.#muted }, sinceMs);
  }

  report(rule: Rule, what: string): void {
    this.violations.push({ atMs: this.#nowMs, rule, what });
    // What comes after it may be a consequence.
    this.#segment.timeline.stop();
    this.#segment.onTrace?.(`${this.#nowMs.toFixed(3)} VIOLATION ${rule}: ${what}\n`);
  }
}
