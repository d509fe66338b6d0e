import { type Address, addressFromBytes, addressToBytes } from '../../net/address.ts';
import { type Mac, macFromBytes, macToBytes } from '../../net/mac.ts';

/**
 * ARP for IPv4 over Ethernet (RFC 826).
 *
 * | offset | bytes | what                                       |
 * |-------:|------:|--------------------------------------------|
 * |      0 |     2 | hardware type: 1, Ethernet                 |
 * |      2 |     2 | protocol type: 0x0800, IPv4                |
 * |      4 |     1 | hardware address length: 6                 |
 * |      5 |     1 | protocol address length: 4                 |
 * |      6 |     2 | operation: 1 request, 2 reply              |
 * |      8 |     6 | sender MAC                                 |
 * |     14 |     4 | sender address; 0.0.0.0 in an RFC 5227 probe |
 * |     18 |     6 | target MAC; meaningless in a request       |
 * |     24 |     4 | target address                             |
 */
export type Arp = {
  readonly operation: 'request' | 'reply';
  readonly senderMac: Mac;
  readonly sender: Address;
  readonly targetMac: Mac;
  readonly target: Address;
};

const arpBytes = 28;
const header = Uint8Array.of(0, 1, 8, 0, 6, 4);
const operations = { request: 1, reply: 2 } as const;
const unknownMac: Mac = '00:00:00:00:00:00';
/** The sender of a probe (RFC 5227 §2.1.1). */
export const nobody: Address = { family: 'IPv4', value: 0n };

/** The ARP message at the start of these bytes; what follows it is padding. */
export function parseArp(bytes: Uint8Array): Arp | undefined {
  if (bytes.length < arpBytes) return undefined;
  if (!header.every((byte, offset) => bytes[offset] === byte) || bytes[6] !== 0) return undefined;
  const operation =
    bytes[7] === operations.request
      ? 'request'
      : bytes[7] === operations.reply
        ? 'reply'
        : undefined;
  const sender = addressFromBytes(bytes.subarray(14, 18));
  const target = addressFromBytes(bytes.subarray(24, 28));
  if (operation === undefined || sender === undefined || target === undefined) return undefined;
  return {
    operation,
    senderMac: macFromBytes(bytes.subarray(8)),
    sender,
    targetMac: macFromBytes(bytes.subarray(18)),
    target,
  };
}

export function formatArp({ operation, senderMac, sender, targetMac, target }: Arp): Uint8Array {
  const bytes = new Uint8Array(arpBytes);
  bytes.set(header, 0);
  bytes[7] = operations[operation];
  bytes.set(macToBytes(senderMac), 8);
  bytes.set(addressToBytes(sender), 14);
  bytes.set(macToBytes(targetMac), 18);
  bytes.set(addressToBytes(target), 24);
  return bytes;
}

/** What the owner of the questioned address answers: it is at `mac`. */
export const answerTo = (question: Arp, mac: Mac): Arp => ({
  operation: 'reply',
  senderMac: mac,
  sender: question.target,
  targetMac: question.senderMac,
  target: question.sender,
});

/** Who has this address? Who has one of its own asks, and says where the answer is to go. */
export const questionFor = (target: Address, mac: Mac, sender: Address): Arp => ({
  operation: 'request',
  senderMac: mac,
  sender,
  targetMac: unknownMac,
  target,
});

/** Has anybody this address? Who is about to use it asks, and has none yet (RFC 5227 §2.1.1). */
export const probeFor = (address: Address, mac: Mac): Arp => questionFor(address, mac, nobody);

/** A question for one's own address: the announcement of RFC 5227 §3. */
export const gratuitousRequest = (address: Address, mac: Mac): Arp => ({
  operation: 'request',
  senderMac: mac,
  sender: address,
  targetMac: unknownMac,
  target: address,
});

/**
 * The reply nobody asked for. The target MAC must be the sender's own: any other makes Linux treat
 * it as a late answer, which it ignores for one second after the last change (`locktime`; measured).
 */
export const gratuitousReply = (address: Address, mac: Mac): Arp => ({
  operation: 'reply',
  senderMac: mac,
  sender: address,
  targetMac: mac,
  target: address,
});
