import type { Mac } from '../../net/mac.ts';

/** Who holds an address since which term. The address is its canonical text. */
export type ClaimItem = { readonly address: string; readonly term: number };

/** A sum over a set of claims that changes when any of them does. */
export type Digest = { readonly count: number; readonly sum: number };

/** What a node tells of itself in a pulse and in an answer. */
export type Standing = {
  /** `listening` holds nothing yet, `leaving` takes nothing more, `left` is gone at once. */
  readonly phase: 'listening' | 'active' | 'leaving' | 'left';
  /** How often this node pulses; its silence is judged by this. */
  readonly intervalMs: number;
  readonly claims: Digest;
};

/** Every message names its sender and the MAC that the sender is reached at. */
export type Message = { readonly node: string; readonly mac: Mac } & (
  | { readonly kind: 'pulse'; readonly standing: Standing }
  | { readonly kind: 'ask'; readonly nonce: bigint }
  | { readonly kind: 'answer'; readonly nonce: bigint; readonly standing: Standing }
  | { readonly kind: 'pull' }
  | {
      readonly kind: 'claims';
      /** Counts the sender's changes, so that a late frame undoes nothing newer. */
      readonly version: number;
      readonly claims: readonly ClaimItem[];
      /** All that the sender holds, in `parts` frames. */
      readonly snapshot?: { readonly part: number; readonly parts: number };
    }
  | { readonly kind: 'release'; readonly version: number; readonly claims: readonly ClaimItem[] }
  | { readonly kind: 'handover'; readonly claims: readonly ClaimItem[] }
  /** The answer to a question in a datagram where its sender's segment is not announced on. */
  | { readonly kind: 'absent'; readonly nonce: bigint }
);

/**
 * Where a message goes: to a MAC, to all that hear frames, to an IP address in a datagram, or by any way there is but
 * this link, which is dead.
 */
export type Destination = Mac | 'all' | { readonly udp: string } | 'elsewhere';

/** Whether its sender says goodbye: it answers for nothing on this segment any more. */
export const isFarewell = (message: Message): boolean =>
  message.kind === 'pulse' && message.standing.phase === 'left';

/** As many claims as fit a frame of 1,280 bytes, the least that IPv6 asks of a link, with the longest node name. */
export const claimsPerMessage = 40;

export function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
