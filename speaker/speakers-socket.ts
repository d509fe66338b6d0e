import type { Mac } from '../net/mac.ts';
import type { Destination, Message } from './core/message.ts';
import type { Link } from './io/link.ts';
import { PacketSocket } from './io/packet-socket.ts';
import type { PulseRing } from './pulse-ring.ts';
import { seal, unseal } from './wire/envelope.ts';
import { etherTypes, formatFrame, headerBytes, speakersMac } from './wire/ethernet.ts';
import { speakersFilter } from './wire/filter.ts';
import { formatMessage, parseMessage } from './wire/message.ts';

/** A message of another speaker whose seal is right. */
export type Heard = { readonly boot: bigint; readonly sequence: bigint; readonly message: Message };

export type Voice = {
  readonly boot: bigint;
  /** Of all sessions of this process: what they say is our own voice. */
  readonly boots: ReadonlySet<bigint>;
  readonly ring: PulseRing;
  /** Grows with every frame this process sends, whatever the link. */
  readonly nextSequence: () => bigint;
  /** Sends to an IP address where frames do not arrive. */
  readonly sendDatagram: (bytes: Uint8Array, to: string) => void;
};

/** Where the speakers of one segment talk to each other: sealed messages in frames of their own EtherType. */
export class SpeakersSocket implements Disposable {
  readonly #socket: PacketSocket;
  readonly #voice: Voice;
  #refused = 0;

  constructor(link: Link, voice: Voice) {
    this.#voice = voice;
    this.#socket = new PacketSocket({
      link,
      etherType: etherTypes.speaker,
      filter: speakersFilter,
    });
    this.#socket.join(speakersMac);
  }

  get fd(): number {
    return this.#socket.fd;
  }

  /** Frames that no key of ours had sealed, or that made no sense. */
  get refused(): number {
    return this.#refused;
  }

  /** One batch of what has come in; undefined when there is nothing more. */
  hear(): readonly Heard[] | undefined {
    const { frames } = this.#socket.receive();
    if (frames.length === 0) return undefined;
    const heard = frames.map((frame) => this.#read(frame)).filter((one) => one !== undefined);
    this.#refused += frames.length - heard.length;
    return heard;
  }

  /** A frame that a dead link or a full queue does not take is a lost frame: the protocol repeats what matters. */
  say(to: Exclude<Destination, 'elsewhere'>, message: Message): void {
    const payload = formatSealed(message, this.#voice);
    if (typeof to === 'object') this.#voice.sendDatagram(payload, to.udp);
    else this.#send(payload, { from: message.mac, to: to === 'all' ? speakersMac : to });
  }

  /** Brings to all here what was sealed for another segment. */
  relay(payload: Uint8Array, from: Mac): void {
    this.#send(payload, { from, to: speakersMac });
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #send(payload: Uint8Array, { from, to }: { readonly from: Mac; readonly to: Mac }): void {
    const header = { destination: to, source: from, etherType: etherTypes.speaker };
    this.#socket.send([formatFrame({ ...header, payload })]);
  }

  #read(frame: Uint8Array): Heard | undefined {
    return readSealed(frame.subarray(headerBytes), this.#voice);
  }
}

/** The bytes of a message, sealed. */
export function formatSealed(
  message: Message,
  { boot, ring, nextSequence }: Pick<Voice, 'boot' | 'ring' | 'nextSequence'>,
): Uint8Array {
  return seal({ ...formatMessage(message), boot, sequence: nextSequence() }, ring.sealing);
}

/** The message in these bytes; undefined where no key of ours sealed it, or it makes no sense. */
export function readSealed(
  bytes: Uint8Array,
  { ring, boots }: Pick<Voice, 'ring' | 'boots'>,
): Heard | undefined {
  const opened = unseal(bytes, ring.opening);
  if (opened === undefined) return undefined;
  const { kind, payload, boot, sequence } = opened.envelope;
  if (!boots.has(boot)) ring.hear(opened.key);
  const message = parseMessage(kind, payload);
  return message === undefined ? undefined : { boot, sequence, message };
}
