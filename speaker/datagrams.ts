import { type Address, parseAddress } from '../net/address.ts';
import { DatagramSocket } from './io/datagram-socket.ts';
import { formatSealed, type Heard, readSealed, type Voice } from './speakers-socket.ts';

type Ears = Pick<Voice, 'ring' | 'boots'>;

/** A flood must not keep pulses waiting for longer than about a millisecond. */
const datagramsPerTurn = 256;

type HeardFrom = Heard & { readonly from: Address };

/** Where the speakers of this cluster talk when a switch drops their frames: the same sealed messages, over UDP. */
export class Datagrams implements Disposable {
  readonly #socket: DatagramSocket;
  readonly #ears: Ears;

  constructor(port: number, ears: Ears) {
    this.#socket = new DatagramSocket(port);
    this.#ears = ears;
  }

  get fd(): number {
    return this.#socket.fd;
  }

  hear(): readonly HeardFrom[] {
    const heard: HeardFrom[] = [];
    for (let count = 0; count < datagramsPerTurn; count++) {
      const datagram = this.#socket.receive();
      if (datagram === undefined) break;
      const sealed = readSealed(datagram.bytes, this.#ears);
      if (sealed !== undefined) heard.push({ ...sealed, from: datagram.from });
    }
    return heard;
  }

  send(bytes: Uint8Array, to: string): void {
    const address = parseAddress(to);
    if (address !== undefined) this.#socket.send(bytes, address);
  }

  /** Tells who asked that its segment is not announced on here. */
  deny({ from, message }: HeardFrom, voice: Voice & { readonly node: string }): void {
    if (message.kind !== 'ask') return;
    const { nonce, mac } = message;
    const denial = { kind: 'absent', node: voice.node, mac, nonce } as const;
    this.#socket.send(formatSealed(denial, voice), from);
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}
