/**
 * FNV-1a over the text, then the finalizer of MurmurHash3: 32 bits that are spread evenly even where texts differ in
 * their last character only. Not against an adversary: whoever could choose its input has the key of the pulses.
 */
export function hashText(text: string): number {
  let bits = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    bits = Math.imul(bits ^ text.charCodeAt(index), 0x01000193);
  }
  return mix(bits);
}

/** Every bit of the input changes half of the bits of the output; no two inputs give the same. */
export function mix(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
