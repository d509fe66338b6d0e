/** What the bytes of a field mean. */
export type Field =
  | { readonly kind: 'text' | 'bytes' | 'numberOrText' | 'ignored' }
  | { readonly kind: 'number' | 'yes'; readonly pointer?: true }
  | { readonly kind: 'list' | 'map'; readonly of: Field }
  | { readonly kind: 'message'; readonly shape: Shape };

/** A message: the name and meaning of each field number. */
export type Shape = Readonly<Record<number, readonly [string, Field]>>;
