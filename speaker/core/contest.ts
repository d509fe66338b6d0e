import { type Health, isSick } from './health.ts';
import type { Peer, Segment } from './segment.ts';
import { loadOf } from './segment.ts';
import {
  type Candidate,
  type Contender,
  type Ground,
  groundOf,
  type Runner,
  runnerOf,
} from './rank.ts';

/** The candidates that contend for one address. */
export type Field = {
  readonly contenders: readonly Contender[];
  /** Whether one of them still listens, and may take what falls to it only later. */
  readonly waits: boolean;
};

/**
 * Compares many addresses in one go: a node's load is one number for all of them, so that what it is given counts for
 * the next, and addresses with the same list of candidates share their field.
 */
export class Contest {
  readonly #segment: Segment;
  /** Addresses that are shared out as if nobody had taken them yet. */
  readonly #estate: ReadonlySet<string>;
  readonly #runners = new Map<string, Runner>();
  /** Who is expected to take what nobody holds yet. */
  readonly #given = new Map<string, string>();
  readonly #settled = new Map<readonly Candidate[], Field>();
  readonly #expected = new Map<readonly Candidate[], Field>();

  constructor(segment: Segment, estate: ReadonlySet<string> = nothing) {
    this.#segment = segment;
    this.#estate = estate;
    for (const address of estate) {
      const holder = segment.claims.get(address)?.holder;
      if (holder !== undefined) this.runner(holder).load--;
    }
  }

  /** Those that can take an address now. */
  settled(address: string): Field {
    return this.#field(address, this.#settled, (node) => canTake(this.#segment, node));
  }

  /** The same with those that will soon be able to. */
  expected(address: string): Field {
    const { peers } = this.#segment;
    return this.#field(
      address,
      this.#expected,
      (node) => canTake(this.#segment, node) || isListening(peers.get(node)),
    );
  }

  /** What counts beside scores and loads: where the other addresses of the Service are. */
  ground(address: string): Ground {
    const siblings = this.#segment.siblings.get(address);
    if (siblings === undefined) return groundOf(address);
    const nodes = siblings.map((one) => {
      const holder = this.#estate.has(one) ? undefined : this.#segment.claims.get(one)?.holder;
      return holder ?? this.#given.get(one);
    });
    return groundOf(address, new Set(nodes.filter((node) => node !== undefined)));
  }

  /** Counts the address for its next holder. */
  give(address: string, { node }: Runner): void {
    this.runner(node).load++;
    if (this.#segment.siblings.has(address)) this.#given.set(address, node);
  }

  runner(node: string): Runner {
    const runner = this.#runners.get(node) ?? runnerOf(node, loadOf(this.#segment, node));
    this.#runners.set(node, runner);
    return runner;
  }

  #field(
    address: string,
    fields: Map<readonly Candidate[], Field>,
    may: (node: string) => boolean,
  ): Field {
    const candidates = this.#segment.candidates.get(address) ?? nobody;
    const known = fields.get(candidates);
    if (known !== undefined) return known;
    const { peers } = this.#segment;
    const contending = candidates.filter(({ node }) => may(node));
    const field = {
      contenders: contending.map(({ node, score }) => ({
        score,
        isSick: isSick(healthOf(this.#segment, node)),
        runner: this.runner(node),
      })),
      waits: contending.some(({ node }) => isListening(peers.get(node))),
    };
    fields.set(candidates, field);
    return field;
  }
}

const nobody: readonly Candidate[] = [];
const nothing: ReadonlySet<string> = new Set();

/** Whether the node is there and settled. A peer that is only suspected is: it will have answered, or be dead, at once. */
export function canTake(segment: Segment, node: string): boolean {
  if (node === segment.node) {
    return segment.phase === 'active' && segment.hushedSinceMs === undefined;
  }
  const peer = segment.peers.get(node);
  return peer?.standing.phase === 'active' && peer.question?.why !== 'Stalled';
}

/** What the node says of itself, or what this one knows of its own checks. */
export const healthOf = ({ node: self, health, peers }: Segment, node: string): Health =>
  node === self ? health : (peers.get(node)?.standing.health ?? 'unsure');

const isListening = (peer: Peer | undefined): boolean => peer?.standing.phase === 'listening';
