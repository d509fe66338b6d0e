import { type Address, formatAddress, parseAddress } from '../net/address.ts';
import { rangeContains } from '../net/range.ts';
import type { Unanswered } from './core/action.ts';
import type { Segment } from './core/segment.ts';
import type { Quarantines } from './guard.ts';
import type { Identity } from './identity.ts';
import { type Link, readGateways } from './io/link.ts';
import { PacketSocket } from './io/packet-socket.ts';
import type { Witnessed } from './orders.ts';
import { Witness } from './witness.ts';
import { type Neighbours, protocols } from './wire/family.ts';

/** A flood of answers must not keep pulses waiting for longer than some milliseconds. */
const batchesPerTick = 16;

type Options = Pick<Identity, 'witnessMs' | 'random' | 'nowMs'> & { readonly segment: Segment };

/** What a witness has found: to be told, and to be acted on. */
export type Testimony = Omit<Witnessed, 'link'> | Unanswered;

/**
 * The witness on one link: its questions go out as a client's do, from an address of this node on that link, so that who
 * hears one learns nothing but the truth. Its sockets are open only while answers may come, and let through nothing but
 * answers to this station.
 */
export class LinkWitness implements Disposable {
  readonly #segment: Segment;
  readonly #witness: Witness;
  #link: Link;
  readonly #sockets = new Map<Neighbours, { socket: PacketSocket; dropped: number }>();

  constructor(link: Link, { segment, witnessMs: everyMs, random, nowMs }: Options) {
    this.#link = link;
    this.#segment = segment;
    this.#witness = new Witness({ segment, everyMs, random, nowMs: nowMs() });
  }

  /** Questions asked since the start. */
  get questions(): number {
    return this.#witness.questions;
  }

  follow(link: Link): void {
    this.#link = link;
  }

  /** These nodes do not answer on purpose: a foreign machine has the address. */
  spare(quarantines: Quarantines): void {
    this.#witness.spare(quarantines);
  }

  /** When `tick` has something to do: answers wait for it. */
  dueAtMs(): number {
    return this.#witness.dueAtMs();
  }

  /** Reads what was answered, judges it, and asks on. Returns what does not fit, or fits again, and what to do. */
  tick(nowMs: number): readonly Testimony[] {
    if (nowMs < this.#witness.dueAtMs()) return [];
    this.#read(nowMs);
    let bystanders: readonly Address[] | undefined;
    const { questions, reports } = this.#witness.tick(nowMs, {
      canAskFor: (address) => this.#askerFor(address) !== undefined,
      bystanders: () => (bystanders ??= this.#bystanders()),
    });
    if (questions.length > 0) this.#send(questions, nowMs);
    if (!this.#witness.isListening) this.#close();
    return reports.flatMap(({ isKnown, isToMove, ...found }): Testimony[] => [
      ...(isKnown ? [] : [{ kind: 'witnessed' as const, ...found }]),
      ...(isToMove ? [{ kind: 'unanswered' as const, ...found }] : []),
    ]);
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #read(nowMs: number): void {
    for (const [protocol, { socket, dropped }] of this.#sockets) {
      for (let batch = 0; batch < batchesPerTick; batch++) {
        const { frames } = socket.receive();
        if (frames.length === 0) break;
        if (batch === batchesPerTick - 1) this.#witness.lose(nowMs);
        for (const frame of frames) {
          const heard = protocol.read(frame);
          if (heard?.kind === 'assertion') this.#witness.hear(heard.address, heard.mac, nowMs);
        }
      }
      const { dropped: now } = socket.statistics();
      if (now > dropped) this.#witness.lose(nowMs);
      this.#sockets.set(protocol, { socket, dropped: now });
    }
  }

  #send(questions: readonly Address[], nowMs: number): void {
    const { mac } = this.#link;
    if (mac === undefined) return;
    for (const protocol of protocols) {
      const frames = questions.flatMap((target) => {
        const address = protocol.family === target.family ? this.#askerFor(target) : undefined;
        return address === undefined ? [] : [protocol.ask(target, { mac, address })];
      });
      // What does not go out is not answered.
      if (frames.length > 0 && this.#open(protocol).send(frames).sent < frames.length)
        this.#witness.lose(nowMs);
    }
  }

  #open(protocol: Neighbours): PacketSocket {
    const open = this.#sockets.get(protocol)?.socket;
    if (open !== undefined) return open;
    const { etherType, answers: filter } = protocol;
    const socket = new PacketSocket({ link: this.#link, etherType, filter });
    this.#sockets.set(protocol, { socket, dropped: 0 });
    return socket;
  }

  #close(): void {
    for (const { socket } of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  /** An address of this node, and of nothing that moves: one in the same network, as a client's, or any. */
  #askerFor(target: Address): Address | undefined {
    const own = this.#link.addresses.filter(
      ({ address, settled }) =>
        address.family === target.family &&
        settled &&
        !this.#segment.candidates.has(formatAddress(address)),
    );
    const near = own.find(({ network }) => rangeContains(network, target));
    return (near ?? own[0])?.address;
  }

  /** The routers of this link, which answer everybody, and then the nodes of its other speakers. */
  #bystanders(): readonly Address[] {
    const routers = readGateways().filter(({ index }) => index === this.#link.index);
    const { roster, peers } = this.#segment;
    const nodes = [...roster].flatMap(([node, { udp }]) =>
      peers.has(node) ? parseAddress(udp) : [],
    );
    return [...routers.map(({ address }) => address), ...nodes].filter((one) => one !== undefined);
  }
}
