/** Whether two lists say the same in the same order; none at all is not an empty one. */
export function isSameList<T>(
  a: readonly T[] | undefined,
  b: readonly T[] | undefined,
  isSame: (one: T, other: T | undefined) => boolean = Object.is,
): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.length !== b.length) return false;
  return a.every((one, index) => isSame(one, b[index]));
}
