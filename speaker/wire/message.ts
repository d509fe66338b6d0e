import {
  addressFromBytes,
  addressToBytes,
  formatAddress,
  parseAddress,
} from '../../net/address.ts';
import { macFromBytes, macToBytes } from '../../net/mac.ts';
import type { ClaimItem, Message, Standing } from '../core/message.ts';

/**
 * The messages between speakers, as an envelope carries them. All numbers are big-endian.
 *
 *   every message    u8 length of the node's name, the name in UTF-8, 6 bytes MAC of its link; then by kind:
 *   1 pulse          standing
 *   2 ask            u64 nonce
 *   3 answer         u64 nonce, standing
 *   4 pull           nothing
 *   5 claims         u48 version, u16 part, u16 parts (0: no snapshot), u8 count, claims
 *   6 release        u48 version, u8 count, claims
 *   7 handover       u8 count, claims
 *   8 absent         u64 nonce
 *
 *   standing         u8 phase (0 listening, 1 active, 2 leaving, 3 left),
 *                    u8 health (0 well, 1 unsure, 2 sick, 3 mending), u16 interval in ms,
 *                    u32 count and u32 sum of the claims held
 *   claim            u8 length of the address (4 or 16), the address, u48 term
 */
const kinds = [
  'pulse',
  'ask',
  'answer',
  'pull',
  'claims',
  'release',
  'handover',
  'absent',
] as const;
const phases = ['listening', 'active', 'leaving', 'left'] as const;
const healths = ['well', 'unsure', 'sick', 'mending'] as const;

/** No segment pulses faster: a peer that says so is not one of ours. */
const shortestIntervalMs = 5;

/** The kind byte and the bytes of a message. */
export function formatMessage(message: Message): { kind: number; payload: Uint8Array } {
  const out = new Writer();
  const name = new TextEncoder().encode(message.node);
  out.number(name.length, 1);
  out.bytes(name);
  out.bytes(macToBytes(message.mac));
  switch (message.kind) {
    case 'pulse':
      writeStanding(out, message.standing);
      break;
    case 'ask':
    case 'absent':
      out.wide(message.nonce);
      break;
    case 'answer':
      out.wide(message.nonce);
      writeStanding(out, message.standing);
      break;
    case 'pull':
      break;
    case 'claims':
      out.number(message.version, 6);
      out.number(message.snapshot?.part ?? 0, 2);
      out.number(message.snapshot?.parts ?? 0, 2);
      writeClaims(out, message.claims);
      break;
    case 'release':
      out.number(message.version, 6);
      writeClaims(out, message.claims);
      break;
    case 'handover':
      writeClaims(out, message.claims);
      break;
  }
  return { kind: kinds.indexOf(message.kind) + 1, payload: out.done() };
}

/** The message in these bytes; undefined for an unknown kind, bytes that are missing, left over or out of range. */
export function parseMessage(kind: number, payload: Uint8Array): Message | undefined {
  const input = new Reader(payload);
  const node = new TextDecoder().decode(input.bytes(input.number(1)));
  const mac = macFromBytes(input.bytes(6));
  const body = readBody(kinds[kind - 1], input);
  if (body === undefined || node === '' || !input.isWhole) return undefined;
  return { node, mac, ...body };
}

type Body<M = Message> = M extends Message ? Omit<M, 'node' | 'mac'> : never;

function readBody(kind: (typeof kinds)[number] | undefined, input: Reader): Body | undefined {
  switch (kind) {
    case undefined:
      return undefined;
    case 'pulse': {
      const standing = readStanding(input);
      return standing === undefined ? undefined : { kind, standing };
    }
    case 'ask':
    case 'absent':
      return { kind, nonce: input.wide() };
    case 'answer': {
      const nonce = input.wide();
      const standing = readStanding(input);
      return standing === undefined ? undefined : { kind, nonce, standing };
    }
    case 'pull':
      return { kind };
    case 'claims': {
      const version = input.number(6);
      const [part, parts] = [input.number(2), input.number(2)];
      const claims = readClaims(input);
      if (claims === undefined || (parts === 0 ? part !== 0 : part >= parts)) return undefined;
      return { kind, version, claims, ...(parts === 0 ? {} : { snapshot: { part, parts } }) };
    }
    case 'release': {
      const version = input.number(6);
      const claims = readClaims(input);
      return claims === undefined ? undefined : { kind, version, claims };
    }
    case 'handover': {
      const claims = readClaims(input);
      return claims === undefined ? undefined : { kind, claims };
    }
  }
}

function writeStanding(out: Writer, { phase, health, intervalMs, claims }: Standing): void {
  out.number(phases.indexOf(phase), 1);
  out.number(healths.indexOf(health), 1);
  out.number(intervalMs, 2);
  out.number(claims.count, 4);
  out.number(claims.sum, 4);
}

function readStanding(input: Reader): Standing | undefined {
  const phase = phases[input.number(1)];
  const health = healths[input.number(1)];
  const intervalMs = input.number(2);
  const claims = { count: input.number(4), sum: input.number(4) };
  return phase === undefined || health === undefined || intervalMs < shortestIntervalMs
    ? undefined
    : { phase, health, intervalMs, claims };
}

function writeClaims(out: Writer, claims: readonly ClaimItem[]): void {
  out.number(claims.length, 1);
  for (const { address, term } of claims) {
    const parsed = parseAddress(address);
    if (parsed === undefined) throw new Error(`writing a claim to ${address}: not an IP address`);
    const bytes = addressToBytes(parsed);
    out.number(bytes.length, 1);
    out.bytes(bytes);
    out.number(term, 6);
  }
}

function readClaims(input: Reader): ClaimItem[] | undefined {
  const claims: ClaimItem[] = [];
  for (let left = input.number(1); left > 0; left--) {
    const address = addressFromBytes(input.bytes(input.number(1)));
    const term = input.number(6);
    if (address === undefined || term === 0) return undefined;
    claims.push({ address: formatAddress(address), term });
  }
  return claims;
}

class Writer {
  readonly #bytes: number[] = [];

  number(value: number, width: number): void {
    for (let shift = width - 1; shift >= 0; shift--) {
      this.#bytes.push(Math.floor(value / 256 ** shift) % 256);
    }
  }

  wide(value: bigint): void {
    this.number(Number(value >> 32n), 4);
    this.number(Number(value & 0xffffffffn), 4);
  }

  bytes(bytes: Uint8Array): void {
    this.#bytes.push(...bytes);
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** Reads zeros behind the end and remembers that it did. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether all bytes were read and none that is not there. */
  get isWhole(): boolean {
    return this.#at === this.#bytes.length;
  }

  number(width: number): number {
    return this.bytes(width).reduce((value, byte) => value * 256 + byte, 0);
  }

  wide(): bigint {
    return (BigInt(this.number(4)) << 32n) | BigInt(this.number(4));
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    bytes.set(this.#bytes.subarray(this.#at, this.#at + length));
    this.#at += length;
    return bytes;
  }
}
