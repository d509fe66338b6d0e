import type { Link } from './io/link.ts';
import type { WireStart } from './orders.ts';

/**
 * Whether addresses may be announced on a link. One that the settings name is taken at their word; of the others, one that
 * becomes a port speaks for nobody: its bridge does.
 */
export function isAnnouncing(
  { name, loopback, mac, resolves, enslaved }: Link,
  { links, excludedLinks }: Pick<WireStart, 'links' | 'excludedLinks'>,
): boolean {
  if (loopback || mac === undefined) return false;
  if (links !== undefined) return links.includes(name);
  return resolves && !enslaved && !excludedLinks.some((pattern) => pattern.test(name));
}

/** Whether anything about a link changed that its session goes by. */
export function hasChanged(before: Link, now: Link): boolean {
  const gist = ({ running, mac, addresses }: Link) =>
    [
      running,
      mac,
      ...addresses.map(
        ({ address, prefixLength, settled }) => `${address.value}/${prefixLength} ${settled}`,
      ),
    ].join(' ');
  return gist(before) !== gist(now);
}
