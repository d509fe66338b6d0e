import type { KubeObject } from '../kube/object.ts';

/**
 * Which of two states of an object is the later one: the one that was read, or the one that our
 * own write returned. The watch may lag behind our writes (metallb/metallb#2723: an allocator
 * that trusts it takes an address for free that it has just given away).
 */
export function newest<T extends KubeObject>(
  read: T | undefined,
  written: T | undefined,
): T | undefined {
  if (read === undefined || written === undefined) return read;
  if (read.metadata.uid !== written.metadata.uid) return read;
  return versionOf(written) > versionOf(read) ? written : read;
}

/** Larger is later (KEP-5504); what is no number sorts before all others, and reading wins. */
function versionOf({ metadata: { resourceVersion = '' } }: KubeObject): bigint {
  return /^\d{1,20}$/.test(resourceVersion) ? BigInt(resourceVersion) : -1n;
}
