import { type Address, formatAddress } from '../net/address.ts';
import { type Mac, macFromBytes } from '../net/mac.ts';
import { rangeContains } from '../net/range.ts';
import { type Course, follow, type Health, unchecked } from './core/health.ts';
import { checkEveryMs } from './core/timing.ts';
import { type Link, readGateways } from './io/link.ts';
import { NeighbourSockets } from './neighbour-sockets.ts';
import { neighboursOf, readNeighbours } from './wire/family.ts';

/** Whom nobody has heard by then is asked once more: one lost frame is no failure. */
const repeatAfterMs = checkEveryMs / 2;

/**
 * Asks the default routers of one link every second whether they are there, by ARP and NDP, and in our own frames: the
 * kernel's neighbour table, asked to find out, takes 8 s to say no, and nobody without NET_ADMIN can hurry it.
 */
export class GatewayCheck implements Disposable {
  readonly #sockets: NeighbourSockets;
  readonly #gatewaysOf: (link: Link) => readonly Address[];
  /** Where each router was when it answered last. */
  readonly #macs = new Map<string, Mac>();
  #listensFor = '';
  /** Asked in this round, and silent so far. */
  #asked: readonly Address[] = [];
  #silent: readonly Address[] = [];
  #unanswered: readonly Address[] = [];
  #hasAsked = false;
  #repeatAtMs = Infinity;
  #endsAtMs = -Infinity;
  #course: Course | undefined;

  constructor(link: Link, gatewaysOf = defaultRouters) {
    this.#sockets = new NeighbourSockets(link);
    this.#gatewaysOf = gatewaysOf;
  }

  /** Any of them is readable when a router may have answered. */
  get fds(): readonly number[] {
    return this.#sockets.fds;
  }

  /** A link that never had a router is well; one that has none any more is what it was. */
  get health(): Health {
    return this.#course?.health ?? 'well';
  }

  /** Who did not answer in the last round, in words; undefined where all did. */
  get detail(): string | undefined {
    return this.#unanswered.length === 0
      ? undefined
      : `no answer from ${this.#unanswered.map(formatAddress).join(', ')}`;
  }

  /** When `tick` has something to do. */
  dueAtMs(): number {
    return Math.min(this.#repeatAtMs, this.#endsAtMs);
  }

  /** Notes who has answered. To be called before `tick`: what has come in may have waited. */
  read(link: Link): void {
    for (;;) {
      const frames = this.#sockets.receive();
      if (frames.length === 0) return;
      for (const frame of frames) {
        const heard = readNeighbours(frame);
        // What a router tells everybody does not prove that it hears us.
        const isAnswer = heard?.kind === 'assertion' && macFromBytes(frame) === link.mac;
        if (isAnswer) this.#noteAnswer(heard.address, heard.mac);
      }
    }
  }

  /** Asks, asks again, and judges what has come of it. */
  tick(link: Link, nowMs: number): void {
    if (nowMs >= this.#endsAtMs) {
      this.#judge(nowMs);
      this.#begin(link);
      this.#endsAtMs = nowMs + checkEveryMs;
      this.#repeatAtMs = nowMs + repeatAfterMs;
    } else if (nowMs >= this.#repeatAtMs) {
      this.#repeatAtMs = Infinity;
      for (const gateway of this.#silent) this.#macs.delete(formatAddress(gateway));
      this.#ask(link, this.#silent);
    }
  }

  [Symbol.dispose](): void {
    this.#sockets[Symbol.dispose]();
  }

  #judge(nowMs: number): void {
    if (!this.#hasAsked) return;
    this.#unanswered = this.#silent;
    this.#course = follow(this.#course ?? unchecked, this.#hasWayOut(), nowMs);
  }

  /** One router of each protocol will do: the others are spare ones, which may be switched off for years. */
  #hasWayOut(): boolean {
    const families = new Set(this.#asked.map(({ family }) => family));
    const isLost = (family: Address['family']): boolean =>
      this.#asked.every((one) => one.family !== family || this.#silent.includes(one));
    return ![...families].some(isLost);
  }

  #begin(link: Link): void {
    const gateways = link.running ? this.#gatewaysOf(link) : [];
    if (gateways.length > 0) this.#course ??= unchecked;
    const listensFor = gateways.map(formatAddress).join(' ');
    if (listensFor !== this.#listensFor) this.#sockets.listenFor(gateways);
    this.#listensFor = listensFor;
    this.#asked = gateways;
    this.#silent = gateways;
    this.#hasAsked = this.#ask(link, gateways);
  }

  /** Whether every one of them could be asked: else nothing is learnt from their silence. */
  #ask(link: Link, gateways: readonly Address[]): boolean {
    const frames = gateways.flatMap((gateway) => this.#questionFor(gateway, link) ?? []);
    if (gateways.length === 0 || frames.length < gateways.length) return false;
    return this.#sockets.send(frames).sent === frames.length;
  }

  /** To the router alone where it was found before: nobody else has to listen every second. */
  #questionFor(gateway: Address, { mac, addresses }: Link): Uint8Array | undefined {
    const own = addresses.find(({ network }) => rangeContains(network, gateway));
    if (own === undefined || mac === undefined) return undefined;
    const asker = { mac, address: own.address };
    const at = this.#macs.get(formatAddress(gateway));
    return neighboursOf(gateway.family).ask(gateway, asker, at);
  }

  #noteAnswer(from: Address, mac: Mac): void {
    const key = formatAddress(from);
    this.#macs.set(key, mac);
    this.#silent = this.#silent.filter((gateway) => formatAddress(gateway) !== key);
  }
}

const defaultRouters = (link: Link): readonly Address[] =>
  readGateways()
    .filter(({ index }) => index === link.index)
    .map(({ address }) => address);
