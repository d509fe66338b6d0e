/**
 * `question.ts held|foreign COUNT latency TIMES` asks for one address after the other and waits for each answer;
 * `… rate PER_SECOND SECONDS` asks at a pace and counts. Prints one line of JSON, an `Asked`.
 */
import { parseAddress } from '../../../net/address.ts';
import { broadcastMac } from '../../../net/mac.ts';
import { readLinks } from '../../../speaker/io/link.ts';
import { PacketSocket } from '../../../speaker/io/packet-socket.ts';
import { formatArp } from '../../../speaker/wire/arp.ts';
import { accept } from '../../../speaker/wire/bpf.ts';
import { etherTypes, formatFrame } from '../../../speaker/wire/ethernet.ts';
import { percentilesOf } from '../../lab/percentiles.ts';
import { foreignValue, heldValue } from '../answering/addresses.ts';
import type { Asked } from '../answering/asked.ts';

const [whose = '', count = '', how = '', ...numbers] = process.argv.slice(2);
const [first = 0, seconds = 0] = numbers.map(Number);
const valueOf = whose === 'held' ? heldValue : foreignValue;
const giveUpMs = 200;
/** Between two questions, so that who answers has gone to sleep again. */
const pauseMs = 0.3;

const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6;
const link = readLinks().find(({ name }) => name === 'eth0');
const [sender, target] = ['198.51.100.50', '198.18.0.0'].map(parseAddress);
if (link?.mac === undefined || !sender || !target) throw new Error('question.ts needs eth0');
using socket = new PacketSocket({
  link,
  etherType: etherTypes.arp,
  filter: [accept],
  receiveBufferBytes: 1 << 24,
});

const operation = 'request';
const [senderMac, targetMac] = [link.mac, '00:00:00:00:00:00'];
const payload = formatArp({ operation, senderMac, sender, targetMac, target });
const header = { destination: broadcastMac, source: senderMac, etherType: etherTypes.arp };
const template = formatFrame({ ...header, payload });
const questions = Array.from({ length: Number(count) }, (_, index) => {
  const frame = template.slice();
  new DataView(frame.buffer).setUint32(38, valueOf(index));
  return frame;
});

/** How many replies have come in, of which there is no other cause than our questions. */
function answers(): number {
  const { frames } = socket.receive();
  return frames.filter((frame) => frame[21] === 2).length;
}

const asked = how === 'latency' ? askInTurn(first) : askAtPace(first, seconds);
process.stdout.write(`${JSON.stringify(asked)}\n`);

function askInTurn(times: number): Asked {
  const samplesUs: number[] = [];
  for (let turn = 0; turn < times; turn++) {
    // A prime step visits them all in no order.
    const question = questions[(turn * 7_919) % questions.length];
    if (question === undefined) break;
    const sentMs = nowMs();
    socket.send([question]);
    while (answers() === 0 && nowMs() < sentMs + giveUpMs);
    const tookMs = nowMs() - sentMs;
    if (tookMs < giveUpMs) samplesUs.push(tookMs * 1_000);
    for (const goOnMs = nowMs() + pauseMs; nowMs() < goOnMs;);
  }
  return { questions: times, answers: samplesUs.length, latencyUs: percentilesOf(samplesUs) };
}

function askAtPace(perSecond: number, forSeconds: number): Asked {
  const startMs = nowMs();
  const endMs = startMs + forSeconds * 1_000;
  let [sent, answered] = [0, 0];
  for (let now = startMs; now < endMs; now = nowMs()) {
    const due = Math.min(Math.floor(((now - startMs) / 1_000) * perSecond) - sent, 64);
    const batch = Array.from(
      { length: due },
      (_, index) => questions[(sent + index) % questions.length] ?? template,
    );
    if (due > 0) sent += socket.send(batch).sent;
    answered += answers();
  }
  for (const quietMs = nowMs() + giveUpMs; nowMs() < quietMs;) answered += answers();
  return { questions: sent, answers: answered };
}
