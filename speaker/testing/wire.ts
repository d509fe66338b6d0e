import type { Destination } from '../core/message.ts';
import type { Machine } from './machine.ts';

/** How the wire treats frames. */
export type Wire = {
  loss: number;
  duplication: number;
  /** Frames overtake each other where their delays differ. */
  delayMs: { readonly low: number; readonly high: number };
  /** What virtual switches drop when it goes from one to another: frames that are no IP, or datagrams too. */
  eats: 'nothing' | 'frames' | 'everything';
};

export const cleanWire: Wire = {
  loss: 0,
  duplication: 0,
  delayMs: { low: 0.05, high: 0.5 },
  eats: 'nothing',
};

export const isFor = ({ mac, ip }: Machine, to: Destination): boolean =>
  to === 'all' || (typeof to === 'object' ? to.udp === ip : to === mac);

/** Whether virtual switches let it pass. */
export function passes(
  { eats }: Wire,
  { from, node, to }: { from: Machine; node: Machine; to: Destination },
): boolean {
  if (from.virtualSwitch === node.virtualSwitch || eats === 'nothing') return true;
  return eats === 'frames' && typeof to === 'object';
}
