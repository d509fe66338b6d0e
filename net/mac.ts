/** A 48-bit Ethernet address in lower-case colon notation; fit for a map key. */
export type Mac = string & { readonly brand?: 'mac' };

export const broadcastMac: Mac = 'ff:ff:ff:ff:ff:ff';

/** Reads six colon-separated hex bytes; undefined for anything else. */
export function parseMac(text: string): Mac | undefined {
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text) ? text.toLowerCase() : undefined;
}

export function macFromBytes(bytes: Uint8Array): Mac {
  return Array.from(bytes.subarray(0, 6), (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

export function macToBytes(mac: Mac): Uint8Array {
  return Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16));
}
