/**
 * Sends a numbered datagram to a UDP echo at a fixed pace and notes when each answer arrives. Arguments:
 * ADDRESS PORT INTERVAL_MS. Every 50 ms one JSON line: how many were sent so far and the times of the
 * answers since the line before (CLOCK_MONOTONIC in ms, the same clock in every process of the machine).
 */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { systemClock } from '../../../daemon/clock.ts';

const [address = '', port = '', interval = ''] = process.argv.slice(2);
const intervalMs = Number(interval);
const open = new Set<number>();
const startMs = systemClock.nowMs();
let sent = 0;
let replies: number[] = [];

const socket = createSocket({
  type: isIPv6(address) ? 'udp6' : 'udp4',
  recvBufferSize: 1 << 20,
});
socket.on('message', (payload) => {
  const sequence = payload.length === 4 ? payload.readUInt32BE() : -1;
  // A duplicate or a stranger's datagram is no answer.
  if (open.delete(sequence)) replies.push(systemClock.nowMs());
});
// An ICMP error for an earlier probe: that probe stays unanswered, which is all we note.
socket.on('error', () => {});
socket.connect(Number(port), address, () => {
  setInterval(sendDue, 1);
  setInterval(report, 50);
});

function sendDue(): void {
  const due = Math.floor((systemClock.nowMs() - startMs) / intervalMs);
  while (sent < due) {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(sent);
    open.add(sent);
    sent += 1;
    socket.send(payload, () => {});
  }
}

function report(): void {
  process.stdout.write(`${JSON.stringify({ sent, replies })}\n`);
  replies = [];
}
