/** One IP address: the family and its bits as a number. */
export type Family = 'IPv4' | 'IPv6';
export type Address = { readonly family: Family; readonly value: bigint };

export const bitsOf = (family: Family): number => (family === 'IPv4' ? 32 : 128);

/**
 * Reads one address as strictly as inet_pton: no leading zeros, no zone, no blanks.
 * Undefined for anything else, so bytes from a stranger never throw.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.length > 45) return undefined;
  const value = text.includes(':') ? parseIPv6(text) : parseIPv4(text);
  return value === undefined ? undefined : { family: text.includes(':') ? 'IPv6' : 'IPv4', value };
}

function parseIPv4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return BigInt(value);
}

function parseIPv6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = '', tail] = halves;
  const left = groupsOf(head, tail === undefined);
  const right = tail === undefined ? [] : groupsOf(tail, true);
  if (left === undefined || right === undefined) return undefined;
  const missing = 8 - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...left, ...Array.from({ length: missing }, () => 0), ...right];
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** The 16-bit groups of one side of `::`; only the last one may be written as IPv4. */
function groupsOf(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (last && index === parts.length - 1 && part.includes('.')) {
      const ipv4 = parseIPv4(part);
      if (ipv4 === undefined) return undefined;
      groups.push(Number(ipv4 >> 16n), Number(ipv4 & 0xffffn));
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

/** The canonical text: dotted for IPv4, RFC 5952 for IPv6. Fit for a map key. */
export function formatAddress({ family, value }: Address): string {
  return family === 'IPv4' ? formatIPv4(value) : formatIPv6(value);
}

function formatIPv4(value: bigint): string {
  const bits = Number(value);
  return `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`;
}

function formatIPv6(value: bigint): string {
  // RFC 5952 §5: IPv4-mapped addresses keep their dotted tail.
  if (value >> 32n === 0xffffn) return `::ffff:${formatIPv4(value & 0xffffffffn)}`;
  // In halves: shifting a bigint eight times takes several times as long, for every frame that is read.
  const groups = [...groupsIn(value >> 64n), ...groupsIn(value & 0xffff_ffff_ffff_ffffn)];
  const { start, length } = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/** Four groups of 16 bits. */
function groupsIn(half: bigint): readonly number[] {
  const [high, low] = [Number(half >> 32n), Number(half & 0xffff_ffffn)];
  return [high >>> 16, high & 0xffff, low >>> 16, low & 0xffff];
}

/** RFC 5952 §4.2: the longest run of zero groups is shortened, the first of equals. */
function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}

/** Network byte order: 4 bytes for IPv4, 16 for IPv6. */
export function addressToBytes({ family, value }: Address): Uint8Array {
  const bytes = new Uint8Array(bitsOf(family) / 8);
  const view = new DataView(bytes.buffer);
  if (family === 'IPv4') {
    view.setUint32(0, Number(value));
  } else {
    view.setBigUint64(0, value >> 64n);
    view.setBigUint64(8, value);
  }
  return bytes;
}

/** The address in 4 or 16 bytes of network order; undefined for any other length. */
export function addressFromBytes(bytes: Uint8Array): Address | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length === 4) return { family: 'IPv4', value: BigInt(view.getUint32(0)) };
  if (bytes.length !== 16) return undefined;
  return { family: 'IPv6', value: (view.getBigUint64(0) << 64n) | view.getBigUint64(8) };
}

/** IPv4 before IPv6, then by value. */
export function compareAddresses(a: Address, b: Address): number {
  if (a.family !== b.family) return a.family === 'IPv4' ? -1 : 1;
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
}

export const sameAddress = (a: Address, b: Address): boolean =>
  a.family === b.family && a.value === b.value;
