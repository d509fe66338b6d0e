import type { Candidates } from '../core/action.ts';

/** A plan in which every node may hold every one of `count` addresses. */
export function everyNode(nodes: readonly { readonly name: string }[], count: number): Candidates {
  const all = nodes.map(({ name }) => ({ node: name, score: 0 }));
  return new Map(
    Array.from({ length: count }, (_, index) => [
      `198.51.${100 + (index >> 8)}.${index & 255}`,
      all,
    ]),
  );
}
