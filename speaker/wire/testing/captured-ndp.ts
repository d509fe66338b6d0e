/**
 * For tests: frames that Linux 6.18 sent on a veth pair between 2001:db8::a at 02:00:00:00:00:0a and 2001:db8::b at
 * 02:00:00:00:00:0b, each end in a network namespace, as `tcpdump -xx icmp6` printed them.
 */
const bytes = (...hex: readonly string[]): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.join('').replaceAll(' ', ''), 'hex'));

export const capturedNdp = {
  /** `ping -6 2001:db8::b` on ::a: its neighbour table asks. */
  question: bytes(
    '3333 ff00 000b 0200 0000 000a 86dd 6000',
    '0000 0020 3aff 2001 0db8 0000 0000 0000',
    '0000 0000 000a ff02 0000 0000 0000 0000',
    '0001 ff00 000b 8700 1c03 0000 0000 2001',
    '0db8 0000 0000 0000 0000 0000 000b 0101',
    '0200 0000 000a',
  ),
  /** The kernel of ::b answers. */
  answer: bytes(
    '0200 0000 000a 0200 0000 000b 86dd 6000',
    '0000 0020 3aff 2001 0db8 0000 0000 0000',
    '0000 0000 000b 2001 0db8 0000 0000 0000',
    '0000 0000 000a 8800 8a4d 6000 0000 2001',
    '0db8 0000 0000 0000 0000 0000 000b 0201',
    '0200 0000 000b',
  ),
  /** `ip neigh change 2001:db8::a dev … nud probe` on ::b: is ::a still there? It asks from its link-local address. */
  unicastQuestion: bytes(
    '0200 0000 000a 0200 0000 000b 86dd 6000',
    '0000 0020 3aff fe80 0000 0000 0000 0000',
    '00ff fe00 000b 2001 0db8 0000 0000 0000',
    '0000 0000 000a 8700 1c87 0000 0000 2001',
    '0db8 0000 0000 0000 0000 0000 000a 0101',
    '0200 0000 000b',
  ),
  /** The kernel of ::a answers that: without the option, and therefore without the override flag. */
  unicastAnswer: bytes(
    '0200 0000 000b 0200 0000 000a 86dd 6000',
    '0000 0018 3aff 2001 0db8 0000 0000 0000',
    '0000 0000 000a fe80 0000 0000 0000 0000',
    '00ff fe00 000b 8800 de9a 4000 0000 2001',
    '0db8 0000 0000 0000 0000 0000 000a',
  ),
  /** `ip address add 2001:db8::b/64` on ::a, too: is it free? With the nonce of RFC 7527. */
  probe: bytes(
    '3333 ff00 000b 0200 0000 000a 86dd 6000',
    '0000 0020 3aff 0000 0000 0000 0000 0000',
    '0000 0000 0000 ff02 0000 0000 0000 0000',
    '0001 ff00 000b 8700 db29 0000 0000 2001',
    '0db8 0000 0000 0000 0000 0000 000b 0e01',
    '2218 b157 9036',
  ),
  /** The same without the nonce (`sysctl net.ipv6.conf.….enhanced_dad=0`). */
  plainProbe: bytes(
    '3333 ff00 000b 0200 0000 000a 86dd 6000',
    '0000 0018 3aff 0000 0000 0000 0000 0000',
    '0000 0000 0000 ff02 0000 0000 0000 0000',
    '0001 ff00 000b 8700 4cd9 0000 0000 2001',
    '0db8 0000 0000 0000 0000 0000 000b',
  ),
  /** The kernel of ::b defends it. */
  defence: bytes(
    '3333 0000 0001 0200 0000 000b 86dd 6000',
    '0000 0020 3aff 2001 0db8 0000 0000 0000',
    '0000 0000 000b ff02 0000 0000 0000 0000',
    '0000 0000 0001 8800 f90c 2000 0000 2001',
    '0db8 0000 0000 0000 0000 0000 000b 0201',
    '0200 0000 000b',
  ),
  /** With `ndisc_notify`, the kernel of ::b announces it when its MAC changes: the same bytes. */
  unsolicited: bytes(
    '3333 0000 0001 0200 0000 000b 86dd 6000',
    '0000 0020 3aff 2001 0db8 0000 0000 0000',
    '0000 0000 000b ff02 0000 0000 0000 0000',
    '0000 0000 0001 8800 f90c 2000 0000 2001',
    '0db8 0000 0000 0000 0000 0000 000b 0201',
    '0200 0000 000b',
  ),
} as const;
