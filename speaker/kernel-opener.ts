import type { Mac } from '../net/mac.ts';
import { KernelResponder, type Unfit } from './io/kernel-responder.ts';
import type { Link } from './io/link.ts';
import type { Fact, WireStart } from './orders.ts';

type Announcing = Link & { readonly mac: Mac };

/**
 * Opens a kernel responder on a link as far as the settings want one and the machine can. Without one the packet socket
 * answers; why, is reported once for each reason, unless the settings insist on the kernel: then it throws.
 */
export function kernelOpener(
  wanted: WireStart['responder'],
  report: (fact: Fact) => void,
  open = (link: Announcing): KernelResponder | Unfit => KernelResponder.open(link),
): (link: Announcing) => KernelResponder | undefined {
  const told = new Set<Unfit['reason']>();
  return (link) => {
    if (wanted === 'packet') return undefined;
    const opened = open(link);
    if (opened.kind === 'open') return opened;
    const { kind, reason, detail } = opened;
    // Its session is about to end, too.
    if (reason === 'LinkGone') return undefined;
    if (wanted === 'kernel') {
      throw new Error(
        `--responder=kernel, and on ${link.name} the kernel does not answer for us (${reason}): ${detail} ` +
          'With --responder=auto a packet socket answers then.',
      );
    }
    if (!told.has(reason)) report({ kind, link: link.name, reason, detail });
    told.add(reason);
    return undefined;
  };
}
