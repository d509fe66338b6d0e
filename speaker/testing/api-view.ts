import type { FakeSegment } from './fake-segment.ts';
import type { Machine } from './machine.ts';

/** Shorter than any node controller takes, so that schedules can be short. */
const lagMs = 3000;
/** What changed reaches the nodes one after the other. */
export const spreadMs = 500;

/** What the API says of who has a speaker on a segment. */
export class ApiView {
  readonly #lan: FakeSegment;
  #ready: readonly Machine[];

  constructor(lan: FakeSegment) {
    this.#lan = lan;
    this.#ready = lan.nodes;
    lan.list(this.#ready);
  }

  /** It learns after a while whose speaker is there. */
  learn(): void {
    this.#lan.timeline.in(lagMs, () => {
      this.#ready = this.#lan.nodes.filter(({ segment }) => segment !== undefined);
      this.#lan.list(this.#ready, spreadMs);
    });
  }

  /** A kubelet says that its node is there seconds before it starts a speaker. */
  boot(node: Machine): void {
    if (this.#ready.includes(node)) return;
    this.#ready = [...this.#ready, node];
    this.#lan.list(this.#ready);
  }
}
