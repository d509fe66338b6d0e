import type { Socket } from 'node:net';
import { systemClock as clock } from '../../daemon/clock.ts';
import type { Weather } from './weather.ts';

type Piece = { readonly dueMs: number; readonly bytes: Buffer | 'end' };

/** One relayed connection. */
export class Line {
  readonly ended: Promise<void>;
  readonly #near: Socket;
  readonly #dial: () => Socket;
  readonly #up: Piece[] = [];
  readonly #down: Piece[] = [];
  readonly #ended = Promise.withResolvers<void>();
  #far: Socket | undefined;
  #weather: Weather;
  #leftBytes = Infinity;
  #broken = false;
  #over = false;

  constructor(near: Socket, dial: () => Socket, weather: Weather) {
    this.#near = near;
    this.#dial = dial;
    this.#weather = weather;
    this.ended = this.#ended.promise;
    this.#listen(near, this.#up);
    this.change(weather);
  }

  change(weather: Weather): void {
    this.#weather = weather;
    this.#leftBytes = weather.kind === 'torn' ? weather.afterBytes : Infinity;
    this.#deliver();
  }

  reset(): void {
    this.#over = true;
    resetSocket(this.#near);
    if (this.#far !== undefined) resetSocket(this.#far);
    this.#ended.resolve();
  }

  #listen(from: Socket, pieces: Piece[]): void {
    const take = (bytes: Piece['bytes']) => {
      const delayMs = this.#weather.kind === 'slow' ? this.#weather.delayMs : 0;
      pieces.push({ dueMs: clock.nowMs() + delayMs, bytes });
      if (delayMs > 0) setTimeout(() => this.#deliver(), delayMs + 1);
      this.#deliver();
    };
    from.on('data', take);
    from.on('end', () => take('end'));
    // Who resets a connection takes back what was not delivered; that it did is news like any other, and may be held.
    from.on('error', () => {
      this.#broken = true;
      pieces.length = 0;
      this.#deliver();
    });
    from.on('close', () => {
      if (this.#near.destroyed && this.#far?.destroyed !== false && this.waiting === 0)
        this.#ended.resolve();
    });
  }

  get waiting(): number {
    return this.#up.length + this.#down.length;
  }

  #deliver(): void {
    if (this.#over || this.#weather.kind === 'held') return;
    if (this.#broken) return this.reset();
    if (this.#far === undefined) {
      this.#far = this.#dial();
      this.#listen(this.#far, this.#down);
    }
    this.#drain(this.#up, this.#far, Infinity);
    this.#leftBytes -= this.#drain(this.#down, this.#near, this.#leftBytes);
    if (this.#leftBytes <= 0) this.reset();
  }

  /** Passes on what is due, at most so many bytes; answers how many. */
  #drain(pieces: Piece[], to: Socket, mostBytes: number): number {
    let passed = 0;
    for (;;) {
      const [piece] = pieces;
      if (piece === undefined || piece.dueMs > clock.nowMs() || passed >= mostBytes) return passed;
      pieces.shift();
      if (piece.bytes === 'end') to.end();
      else {
        const bytes = piece.bytes.subarray(0, mostBytes - passed);
        passed += bytes.length;
        if (to.writable) to.write(bytes);
      }
    }
  }
}

/** Node 24 never lets go of a socket that is reset while it connects or shuts down: the process could not even exit. */
function resetSocket(socket: Socket): void {
  if (socket.connecting || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
