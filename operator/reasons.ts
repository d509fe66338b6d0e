/**
 * Every reason why a Service has not what it asks for, with what to do about it. The same word
 * stands in the condition, the event, the log field and the metric label.
 */
const remedies = {
  AddressUnreadable:
    'Write one address per family, separated by a comma, such as "198.51.100.7" or "198.51.100.7, 2001:db8::7".',
  AddressUnusable:
    'Ask for an address that one machine can have: neither loopback, multicast, broadcast nor unspecified.',
  AddressAskedTwice:
    'Remove spec.loadBalancerIP: the annotation metallb.io/loadBalancerIPs says the same and more.',
  CountUnreadable: 'Ask for 1 to 16 addresses of each IP family.',
  FamilyMismatch:
    'Ask for addresses of each IP family of the Service, and of no other (see its spec.ipFamilies).',
  ClusterAddressMissing:
    'Use a dual-stack cluster, or set spec.ipFamilyPolicy to PreferDualStack or SingleStack.',
  AddressOutsidePools: 'Add the address to an IPAddressPool, or ask for one that a pool contains.',
  AddressDraining:
    'Nothing need be done. To move the Service, list the address in spec.reclaim of any IPAddressPool, or ask for another one.',
  AddressExcluded: 'Ask for another address, or take this one out of spec.exclude of the pool.',
  AddressOccupied:
    'Ask for another address: this one belongs to the cluster itself. For the addresses of the nodes use a pool of nodes.',
  AddressQuarantined:
    'Take the address off the other machine (kubectl get nodenetworks -A shows who sees it), or ask for another one. It is used as soon as no node sees the other machine.',
  AddressContested:
    'Take the address off the other machine (kubectl get nodenetworks -A shows who sees it), or ask for another one: clients reach whichever answered last.',
  UnreachableNetwork:
    'Nothing need be done where a router sends its traffic to a node. Otherwise use a pool in a network of the nodes (kubectl get nodenetworks -A), or name the links in spec.interfaces of an L2Advertisement.',
  AddressReserved:
    'Ask for another address, or reserve this one for this Service in spec.reservations of the pool.',
  PinningReserved:
    'Ask for no address by value, or have one reserved for this Service in spec.reservations of the pool.',
  QuotaReached:
    'Delete Services of the namespace that no longer need their address, or raise serviceAllocation.maxPerNamespace of the pool.',
  AddressTaken:
    'Ask for another address, free this one, or let both Services share it: same metallb.io/allow-shared-ip key, different ports, same traffic policy.',
  PortTaken:
    'Use another port, delete or move the Service that has it, or take the port out of spec.nodes.reservedPorts of the pool if the machines do not need it.',
  NoNodeSelected:
    'Correct spec.nodes.selector of the pool, label nodes for it, or take that label off: kubectl label nodes --all node.kubernetes.io/exclude-from-external-load-balancers-',
  NoReadyNode:
    'Bring a node back (kubectl get nodes, kubectl describe node), or let the pool select more of them.',
  NoServingNode:
    'Run an endpoint of the Service on such a node, or set spec.externalTrafficPolicy to Cluster.',
  PoolUnknown:
    'Create the IPAddressPool, or correct or remove the annotation metallb.io/address-pool.',
  PoolMismatch:
    'Ask for an address of that pool, or correct or remove the annotation metallb.io/address-pool.',
  PoolNotForService:
    "Extend the pool's spec.serviceAllocation to this Service, or ask for another pool.",
  PoolClosed:
    'Correct the IPAddressPool as its condition says; it hands out addresses again at once.',
  PoolLacksFamily:
    'Add a range of the missing IP family to a pool, or change spec.ipFamilies and spec.ipFamilyPolicy of the Service.',
  PoolExhausted: 'Add addresses to the pool, or delete Services that no longer need theirs.',
  NoPoolForService:
    'Create an IPAddressPool with autoAssign for this Service, or name a pool in the annotation metallb.io/address-pool.',
} as const;

export type Reason = keyof typeof remedies;

export const remedyOf = (reason: Reason): string => remedies[reason];

/** MetalLB's own word for the good news, so that tools which look for its events find ours. */
export const assignedReason = 'IPAllocated';

/** Why a request is not met: the word, and what is the case here (a clause without full stop). */
export type Refusal = { readonly reason: Reason; readonly detail: string };

export const refusal = (reason: Reason, detail: string): Refusal => ({ reason, detail });

/** What a person reads: what is wrong, what stands meanwhile, what to do. */
export function explainRefusal({ reason, detail }: Refusal, meanwhile?: string): string {
  const fact = meanwhile === undefined ? detail : `${detail}; ${meanwhile}`;
  return `${fact}. ${remedyOf(reason)}`;
}
