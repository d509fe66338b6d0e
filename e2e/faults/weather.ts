/** What becomes of bytes on their way. */
export type Weather =
  | { readonly kind: 'clear' }
  /** Nothing arrives and nobody is told; what was sent is delivered when it clears up, as TCP does. */
  | { readonly kind: 'held' }
  /** Every byte takes so long. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  /** Every connection is reset after so many further bytes of answer: in the middle of a line, as it comes. */
  | { readonly kind: 'torn'; readonly afterBytes: number }
  /** What is there goes on; new connections are reset. */
  | { readonly kind: 'refused' };
