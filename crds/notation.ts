import {
  IPv4,
  IPv4CidrRange,
  IPv4Prefix,
  IPv6,
  IPv6CidrRange,
  IPv6Prefix,
  RangedSet,
} from 'ip-num';
import { formatRange, type Range } from '../net/range.ts';
import { quote } from './problem.ts';

/** Two IPv6 addresses in full around a dash need 81 characters; the rest is room for blanks. */
export const longestNotation = 120;

const octet = '(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])';
const ipv4 = `${octet}([.]${octet}){3}`;
const ipv6 = '[0-9a-fA-F]*:[0-9a-fA-F:.]*';

/**
 * What the API server checks at once, in the syntax RE2 shares with JavaScript and never stricter
 * than `parseAddresses`, which has the last word. A bare address passes the last two: what to write
 * instead is a rule of its own.
 */
export const admitted = {
  /** One IPv4 address and nothing else. */
  bareIPv4: new RegExp(`^\\s*${ipv4}\\s*$`),
  /** Two of them: the order of the ends can be looked at. */
  rangeIPv4: new RegExp(`^\\s*${ipv4}\\s*-\\s*${ipv4}\\s*$`),
  /** All of IPv4 but the order of the ends. */
  ipv4: new RegExp(`^\\s*${ipv4}(/(3[0-2]|[12]?[0-9])|\\s*-\\s*${ipv4})?\\s*$`),
  /** Of IPv6 the prefix length, and that both ends are IPv6. */
  ipv6: new RegExp(`^\\s*${ipv6}(/(12[0-8]|1[01][0-9]|[1-9]?[0-9])|\\s*-\\s*${ipv6})?\\s*$`),
} as const;

/**
 * Addresses as people write them in a pool: `198.51.100.224/28` (host bits do not matter, the
 * whole network is meant) or `198.51.100.200-198.51.100.219` (both ends included, blanks allowed).
 * ip-num reads them; from here on there is only our `Range`.
 */
export function parseAddresses(written: string): Range | { readonly problem: string } {
  if (written.length > longestNotation)
    return { problem: `${quote(written)} is too long for addresses` };
  const text = written.trim();
  // ip-num would read over a zone; a Service address cannot have one.
  if (text.includes('%')) return { problem: `${quote(text)} has a zone: leave "%…" out` };
  if (text.includes('/')) return checkMapped(text, parsePrefix(text));
  if (text.includes('-')) return checkMapped(text, parseFromTo(text));
  return { problem: bareProblem(text) };
}

/** The same, and also one address alone: `198.51.100.1`. */
export function parsePlaces(written: string): Range | { readonly problem: string } {
  const address = written.length > longestNotation ? undefined : readOne(written.trim());
  if (address === undefined) return parseAddresses(written);
  const { value } = address;
  const family = address instanceof IPv4 ? 'IPv4' : 'IPv6';
  return checkMapped(written.trim(), { family, first: value, last: value });
}

/** A network as Kubernetes writes it, `10.42.0.0/24`; undefined where it is none. */
export function readNetwork(text: string): Range | undefined {
  const range = parsePrefix(text);
  return 'problem' in range ? undefined : range;
}

type Parsed = Range | { readonly problem: string };

function parsePrefix(text: string): Parsed {
  const [address = '', length = '', ...more] = text.split('/');
  const isIPv6 = address.includes(':');
  const bits = isIPv6 ? 128 : 32;
  // ip-num would take "/024" and, as a bigint, " 24" and "0x18".
  if (more.length > 0 || !/^(0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > bits) {
    return {
      problem:
        `${quote(text)} has no valid prefix length: ` +
        `write a whole number from 0 to ${bits} after the "/"`,
    };
  }
  try {
    const network = isIPv6
      ? new IPv6CidrRange(new IPv6(address), new IPv6Prefix(BigInt(length)))
      : new IPv4CidrRange(new IPv4(address), new IPv4Prefix(BigInt(length)));
    return {
      family: isIPv6 ? 'IPv6' : 'IPv4',
      first: network.getFirst().value,
      last: network.getLast().value,
    };
  } catch {
    return { problem: notAnAddress(address, text) };
  }
}

function parseFromTo(text: string): Parsed {
  const [from = '', to = '', ...more] = text.split('-').map((end) => end.trim());
  if (more.length > 0) {
    return { problem: `${quote(text)} has more than one "-": write one range per list item` };
  }
  const first = readOne(from);
  const last = readOne(to);
  if (first === undefined) return { problem: notAnAddress(from, text) };
  if (last === undefined) return { problem: notAnAddress(to, text) };
  if (first instanceof IPv4 !== last instanceof IPv4) {
    return { problem: `${quote(text)} mixes IPv4 and IPv6: write one range for each` };
  }
  if (first.value > last.value) {
    return { problem: `${quote(text)} runs backwards: write ${to}-${from}` };
  }
  const ends = RangedSet.fromRangeString(`${from}-${to}`);
  return {
    family: first instanceof IPv4 ? 'IPv4' : 'IPv6',
    first: ends.getFirst().value,
    last: ends.getLast().value,
  };
}

/** The only way ip-num says "no" is to throw; that is no error here. */
function readOne(text: string): IPv4 | IPv6 | undefined {
  try {
    return text.includes(':') ? new IPv6(text) : new IPv4(text);
  } catch {
    return undefined;
  }
}

function notAnAddress(part: string, text: string): string {
  const where = part === '' ? 'has an empty end' : `holds ${quote(part)}, which is no IP address`;
  return (
    `${quote(text)} ${where}: write a network like 198.51.100.224/28 ` +
    'or a range like 198.51.100.200-198.51.100.219'
  );
}

function bareProblem(text: string): string {
  const address = readOne(text);
  if (address === undefined) return notAnAddress(text, text);
  return `${quote(text)} is a bare address: write ${text}/${address instanceof IPv4 ? 32 : 128}`;
}

/** `::ffff:0:0/96` is a way to write IPv4 inside programs; it never stands on a wire. */
function checkMapped(text: string, range: Parsed): Parsed {
  if ('problem' in range || range.family === 'IPv4') return range;
  const { first, last } = range;
  if (first >> 32n !== 0xffffn || last >> 32n !== 0xffffn) return range;
  const ipv4 = { first: first & 0xffffffffn, last: last & 0xffffffffn };
  return {
    problem:
      `${quote(text)} is IPv4 written as IPv6: ` +
      `write ${formatRange({ family: 'IPv4', ...ipv4 })}${ipv4.first === ipv4.last ? '/32' : ''}`,
  };
}
