import { type Address, formatAddress } from '../../../net/address.ts';

/** 198.18.0.0, of the network that RFC 2544 keeps for benchmarks. */
const first = 0xc612_0000;

/** Every second address is held, so that no two lie in a row; the ones between are somebody else's. */
export const heldAddress = (index: number): string => formatAddress(at(2 * index));
export const heldValue = (index: number): number => first + 2 * index;
export const foreignValue = (index: number): number => first + 2 * index + 1;

const at = (offset: number): Address => ({ family: 'IPv4', value: BigInt(first + offset) });
