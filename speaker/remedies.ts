import type { Fault } from './exam.ts';
import type { GuardFact } from './guard.ts';
import type { CheckName } from './orders.ts';

type Foreign = GuardFact & { readonly kind: 'foreign' };

/** What to do about what the speaker finds and cannot mend: for the log, and for events. By the word for what is found. */
export const remedies: Readonly<Record<Fault | Foreign['state'] | CheckName, string>> = {
  Silent:
    'let ARP and NDP reach the node that holds it: see the firewall of that node and its port of the switch',
  Mismatch: 'take the address off that machine, or out of the pools',
  Doubled:
    'take the address off that machine; if it is a node, turn strictARP on in the configuration of kube-proxy',
  Uncertain:
    'see the firewall of the node that asked and its port of the switch: it may be the one that is not answered',
  Contested:
    'take the address off the machine with this MAC, or out of the pools: clients reach whichever answered last',
  Quarantined: 'take the address off the machine with this MAC, or out of the pools',
  KubeProxy: 'see to kube-proxy on this node: its log, and what its health check answers',
  Gateway: 'see to the router, and to what lies between it and this node: cable, switch, VLAN',
};
