/**
 * `flood.ts ADDRESS MILLISECONDS`: what a hostile station can send: random and cut-off bytes in the speakers' frames
 * and in those of neighbours, the speakers' own frames again from another MAC, and claims to ADDRESS. About 10,000
 * frames a second.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../../daemon/clock.ts';
import { parseAddress } from '../../../net/address.ts';
import { readLinks } from '../../../speaker/io/link.ts';
import { PacketSocket } from '../../../speaker/io/packet-socket.ts';
import { etherTypes, speakersMac } from '../../../speaker/wire/ethernet.ts';
import { macToBytes } from '../../../net/mac.ts';
import { neighboursOf } from '../../../speaker/wire/family.ts';
import { speakersFilter } from '../../../speaker/wire/filter.ts';

const [said = '', lastsMs = ''] = process.argv.slice(2);
const address = parseAddress(said);
const link = readLinks().find(({ name }) => name === 'eth0');
if (address === undefined || link === undefined) throw new Error('flood.ts ADDRESS MILLISECONDS');
const neighbours = neighboursOf(address.family);
const forgedMac = '02:00:00:00:00:66';
const forged = macToBytes(forgedMac);

using speakers = new PacketSocket({
  link,
  etherType: etherTypes.speaker,
  filter: speakersFilter,
});
speakers.join(speakersMac);
using talk = new PacketSocket({ link, etherType: neighbours.etherType });
const heard: Uint8Array[] = [];

/** A frame of this type with any bytes behind its header, of any length. */
function noise(etherType: number): Uint8Array {
  const to = etherType === etherTypes.speaker ? speakersMac : 'ff:ff:ff:ff:ff:ff';
  const head = [...macToBytes(to), ...forged, etherType >> 8, etherType & 255];
  return Uint8Array.from([...head, ...randomBytes(randomInt(200))]);
}

/** A recorded frame as it was, cut off, or with one byte changed; never with the MAC of who sent it. */
function again(frame: Uint8Array): Uint8Array {
  const copy = frame.slice(0, randomInt(3) === 0 ? randomInt(14, frame.length) : frame.length);
  if (randomInt(3) === 0) copy[randomInt(copy.length)] = randomInt(256);
  copy.set(forged, 6);
  return copy;
}

const endMs = systemClock.nowMs() + Number(lastsMs);
while (systemClock.nowMs() < endMs) {
  for (const frame of speakers.receive().frames) {
    if (heard.length < 1000) heard.push(frame.slice());
  }
  const frames = Array.from({ length: 60 }, (_, index) => {
    const recorded = heard[randomInt(Math.max(heard.length, 1))];
    if (index % 3 === 0 && recorded !== undefined) return again(recorded);
    return noise(index % 3 === 1 ? etherTypes.speaker : neighbours.etherType);
  });
  talk.send([...frames, ...neighbours.unsolicited(address, forgedMac)]);
  await wait(5);
}
