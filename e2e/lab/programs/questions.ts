/**
 * `questions.ts ADDRESS`: broadcasts an ARP question for ADDRESS every two milliseconds, until it is ended. It hears no
 * answer: that is the matter of who judges.
 */
import { setInterval as every } from 'node:timers/promises';
import { type Address, parseAddress } from '../../../net/address.ts';
import { broadcastMac } from '../../../net/mac.ts';
import { readLinks } from '../../../speaker/io/link.ts';
import { PacketSocket } from '../../../speaker/io/packet-socket.ts';
import { formatArp } from '../../../speaker/wire/arp.ts';
import { etherTypes, formatFrame } from '../../../speaker/wire/ethernet.ts';

const target = parseAddress(process.argv[2] ?? '');
const link = readLinks().find(({ name }) => name === 'eth0');
if (target === undefined || link?.mac === undefined) throw new Error('questions.ts ADDRESS');
const { mac } = link;
// RFC 5227 §2.1.1: who asks from nowhere is answered, and nobody learns from the question.
const nowhere: Address = { family: 'IPv4', value: 0n };

using socket = new PacketSocket({ link, etherType: etherTypes.arp });
const payload = formatArp({
  operation: 'request',
  senderMac: mac,
  sender: nowhere,
  targetMac: '00:00:00:00:00:00',
  target,
});
const header = { destination: broadcastMac, source: mac, etherType: etherTypes.arp };
const frame = formatFrame({ ...header, payload });
for await (const _ of every(2)) socket.send([frame]);
