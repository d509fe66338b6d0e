import type { Address, Family } from '../../net/address.ts';
import { broadcastMac, type Mac } from '../../net/mac.ts';
import {
  answerTo,
  type Arp,
  formatArp,
  gratuitousReply,
  gratuitousRequest,
  parseArp,
} from './arp.ts';
import { etherTypeOf, etherTypes, formatFrame, headerBytes, isStation } from './ethernet.ts';

/** Somebody wants to know who has `target`. */
export type Question = {
  readonly kind: 'question';
  readonly target: Address;
  readonly asker: Mac;
  /** Undefined in a probe: the asker is about to take the address and has none yet. */
  readonly askerAddress: Address | undefined;
};

/** Somebody says that `address` is at `mac`. */
export type Assertion = {
  readonly kind: 'assertion';
  readonly address: Address;
  readonly mac: Mac;
};

/**
 * How one address family finds and announces neighbours. The responder knows only this shape, so
 * that IPv6 is one more value of it.
 */
export type Neighbours = {
  readonly family: Family;
  readonly etherType: number;
  /** What a whole frame asks or says; undefined for everything else, whatever the bytes. */
  read(frame: Uint8Array): Question | Assertion | undefined;
  /** The frame that tells the asker that the address is at `mac`. */
  answer(question: Question, mac: Mac): Uint8Array;
  /** The frames that make a segment learn, unasked, that `address` is at `mac`. */
  unsolicited(address: Address, mac: Mac): readonly Uint8Array[];
};

const unspecified: Address = { family: 'IPv4', value: 0n };

export const arp: Neighbours = {
  family: 'IPv4',
  etherType: etherTypes.arp,
  read: readArp,
  answer: (question, mac) => {
    const asked: Arp = {
      operation: 'request',
      senderMac: question.asker,
      sender: question.askerAddress ?? unspecified,
      targetMac: mac,
      target: question.target,
    };
    return frameOf(question.asker, mac, answerTo(asked, mac));
  },
  // Both forms: some stacks learn from requests only, some from replies only.
  unsolicited: (address, mac) => [
    frameOf(broadcastMac, mac, gratuitousRequest(address, mac)),
    frameOf(broadcastMac, mac, gratuitousReply(address, mac)),
  ],
};

function readArp(bytes: Uint8Array): Question | Assertion | undefined {
  if (etherTypeOf(bytes) !== etherTypes.arp) return undefined;
  const message = parseArp(bytes.subarray(headerBytes));
  // Nobody can be answered, or have an address, at a group's MAC; the kernel refuses these too.
  if (message === undefined || !isStation(message.senderMac)) return undefined;
  const { operation, sender, senderMac, target } = message;
  if (operation === 'reply' || sender.value === target.value) {
    return { kind: 'assertion', address: sender, mac: senderMac };
  }
  const askerAddress = sender.value === 0n ? undefined : sender;
  return { kind: 'question', target, asker: senderMac, askerAddress };
}

const frameOf = (destination: Mac, source: Mac, message: Arp): Uint8Array =>
  formatFrame({ destination, source, etherType: etherTypes.arp, payload: formatArp(message) });

const protocols: readonly Neighbours[] = [arp];

/** The protocol that announces addresses of this family; undefined where there is none yet. */
export const neighboursOf = (family: Family): Neighbours | undefined =>
  protocols.find((protocol) => protocol.family === family);

/** What a frame asks or says, of whichever family it is. */
export function readNeighbours(frame: Uint8Array): Question | Assertion | undefined {
  for (const protocol of protocols) {
    const heard = protocol.read(frame);
    if (heard !== undefined) return heard;
  }
  return undefined;
}
