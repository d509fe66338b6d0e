/** One field as it stands on the wire (protobuf encoding: varint, 64-bit, length-delimited, 32-bit). */
type WireField = { readonly number: number; readonly value: number | Uint8Array };

/** The fields of a message in their order; undefined where the bytes are none. */
export function readFields(bytes: Uint8Array): readonly WireField[] | undefined {
  const fields: WireField[] = [];
  let at = 0;
  const varint = (): number | undefined => {
    let value = 0;
    for (let shift = 0; shift < 10; shift++) {
      const byte = bytes[at++];
      if (byte === undefined) return undefined;
      value += (byte & 0x7f) * 2 ** (7 * shift);
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  while (at < bytes.length) {
    const tag = varint();
    if (tag === undefined) return undefined;
    const number = Math.floor(tag / 8);
    const value = tag % 8 === 0 ? varint() : tag % 8 === 2 ? taken(varint()) : undefined;
    if (value === undefined) return undefined;
    fields.push({ number, value });
  }
  return fields;

  function taken(length: number | undefined): Uint8Array | undefined {
    if (length === undefined || at + length > bytes.length) return undefined;
    at += length;
    return bytes.subarray(at - length, at);
  }
}
