import { type Address, formatAddress, parseAddress } from '../../net/address.ts';
import type { Mac } from '../../net/mac.ts';
import { Announcer, type Conflict } from '../announcer.ts';
import type { Candidates } from '../core/action.ts';
import { FakeLan } from './fake-lan.ts';
import type { Stolen } from './hostile-frames.ts';
import type { Random } from './random.ts';
import { SealedLan, type Speaker } from './sealed-lan.ts';

const macOf = (number: number): Mac => `02:00:00:00:00:0${number}`;

/** Both families, and several for each node. */
const addresses = [1, 2, 3, 4, 5, 6].flatMap((last) => [
  `198.51.100.20${last}`,
  `2001:db8::${last}`,
]);
const nodes = ['node-1', 'node-2', 'node-3'];
const candidates: Candidates = new Map(
  addresses.map((address) => [address, nodes.map((node) => ({ node, score: 0 }))]),
);

/**
 * A node with two peers that hold addresses as it does, and what a station of their segment has recorded: all that was
 * said, also by one of them before it was started again.
 */
export class AttackedNode {
  readonly lan: SealedLan;
  readonly speaker: Speaker;
  readonly peers: readonly Speaker[];
  readonly announcer: Announcer;
  readonly held: readonly Address[];
  readonly loot: Stolen;
  readonly #answers = new FakeLan();

  constructor(random: Random) {
    const key = Uint8Array.from({ length: 32 }, () => random.integer(0, 255));
    const lan = new SealedLan(key, random);
    const start = (number: number): Speaker =>
      lan.start(`node-${number}`, macOf(number), candidates);
    const restarted = start(2);
    lan.run(1_000);
    lan.cut(restarted);
    const earlier = lan.recorded.splice(0);
    this.lan = lan;
    this.speaker = start(1);
    this.peers = [start(2), start(3)];
    lan.run(3_000);
    this.held = [...this.speaker.holding].flatMap((address) => parseAddress(address) ?? []);
    this.announcer = new Announcer({
      lan: this.#answers,
      mac: macOf(1),
      random: () => random.next(),
    });
    for (const address of this.held) this.announcer.hold(address, lan.nowMs);
    this.announcer.tick(lan.nowMs);
    this.#answers.taken();
    const bytesOf = (own: boolean): readonly Uint8Array[] =>
      lan.recorded.filter(({ from }) => (from === 'node-1') === own).map(({ bytes }) => bytes);
    this.loot = {
      recorded: bytesOf(false),
      earlier: earlier.map(({ bytes }) => bytes),
      own: bytesOf(true),
      nodes,
      held: (['IPv4', 'IPv6'] as const).flatMap(
        (wanted) => this.held.find(({ family }) => family === wanted) ?? [],
      ),
      key,
      boots: this.peers.map(({ segment }) => segment.boot),
    };
  }

  /** Brings frames to both: who talks with speakers, and who answers neighbours; each takes what is for it. */
  hear(frames: readonly Uint8Array[]): {
    readonly conflicts: readonly Conflict[];
    readonly answers: number;
  } {
    for (const frame of frames) this.lan.hear(this.speaker, frame);
    const conflicts = this.announcer.answer(frames);
    return { conflicts, answers: this.#answers.taken().length };
  }

  /**
   * All that decides what it answers for and with whom it talks, copied, so that two can be compared. Which frames were
   * heard is left out, and so is who waits to prove itself.
   */
  portrait(): unknown {
    const { random: _random, strangers: _strangers, peers, ...rest } = this.speaker.segment;
    const known = Array.from(peers.values(), ({ sequences: _sequences, ...peer }) => peer);
    const held = this.announcer.held().map(formatAddress);
    const { holding, done } = this.speaker;
    const dueAtMs = this.announcer.dueAtMs();
    return structuredClone({ rest, known, held, holding, done, dueAtMs });
  }
}
