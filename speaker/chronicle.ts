import type { Log } from '../daemon/log.ts';
import type { Fault } from './exam.ts';
import type { Fact, Held, Witnessed } from './orders.ts';
import { remedies } from './remedies.ts';

/** Writes down what the wire thread tells: `info` where an address or a peer changed, once per change. */
export function chronicle(log: Log, fact: Fact): void {
  const { kind, ...fields } = fact;
  switch (kind) {
    case 'held':
      return log.info('took over', rounded(fields));
    case 'yielded':
      return log.info('gave up', fields);
    case 'peer':
      return log.info('peer changed', fields);
    case 'phase':
      return log.info('phase changed', fields);
    case 'joined':
      return log.info('joined a link', fields);
    case 'unfit':
      return log.info('questions are answered from a packet socket, not by the kernel', fields);
    case 'gone':
      return log.warn('a link is gone', fields);
    case 'mac':
      return log.info('a link has another MAC', fields);
    case 'absent':
      return fact.links.length === 0
        ? log.info('all links of --links are there')
        : log.warn('links of --links are not there: nothing is announced on them', fields);
    case 'stalled':
      return log.warn(
        'stood still and stayed silent until the peers had answered',
        rounded(fields),
      );
    case 'health':
      return chronicleHealth(log, fact);
    case 'namesake':
      return log.error('another machine uses the name of this node: rename one of them', fields);
    case 'witnessed':
      return fact.finding === 'Right'
        ? log.info('an address of another node is answered for as it should be again', fields)
        : log.warn(testimonies[fact.finding], { ...fields, remedy: remedies[fact.finding] });
    case 'foreign': {
      const told = { ...fields, remedy: remedies[fact.state] };
      return fact.state === 'Contested'
        ? log.error('another station answers for an address held here', told)
        : log.warn('another station has an address: nobody announces it until it is free', told);
    }
    case 'cleared':
      return log.info('no other station has the address any more', fields);
    case 'unasked':
      return log.warn('addresses are announced unprobed: the link took no probe', fields);
    case 'deaf':
      return log.warn(
        'a link with IPv6 addresses to answer for has no IPv6: switch it on, or leave the link out',
        fields,
      );
    case 'sibling':
      return log.warn(
        'two links of this node lie on one segment: one of them stays silent',
        fields,
      );
    case 'networks':
    case 'ready':
    case 'counts':
    case 'left':
      return log.debug('wire', { kind, ...fields });
  }
}

/** A single failure, and what it leaves, is no news. */
function chronicleHealth(log: Log, fact: Fact & { readonly kind: 'health' }): void {
  const { kind, health, ...fields } = fact;
  switch (health) {
    case 'sick':
      return log.warn('a check fails: well nodes take over what is held here', {
        ...fields,
        remedy: remedies[fact.check],
      });
    case 'mending':
      return log.info('a check passes again: this node still comes last', fields);
    case 'well':
      return log.info('a check passes', fields);
    case 'unsure':
      return log.debug('wire', { kind, health, ...fields });
  }
}

/** The event on a Service whose address this node has begun to answer for; its reason word is MetalLB's. */
export function announcing(node: string, { address, link, mac, reason, from }: Held) {
  const before = from === undefined ? '' : `, taken over from "${from}"`;
  const message = `announcing ${address} from node "${node}" (${link}, ${mac})${before}: ${reason}`;
  return { type: 'Normal', reason: 'nodeAssigned', message } as const;
}

/** What another node found when it asked on the wire for an address. */
const testimonies: Readonly<Record<Fault, string>> = {
  Silent: 'nobody answers for an address that another node holds',
  Mismatch: 'another machine answers for an address, and the node that holds it does not',
  Doubled: 'a second machine answers for an address',
  Uncertain: 'nobody answers for an address that another node holds, nor for others',
};

/** The event on a Service whose address is not answered for as it should be; undefined where it is again. */
export function witnessed(node: string, { address, link, finding, holder, others }: Witnessed) {
  if (finding === 'Right') return undefined;
  const who = others.length === 0 ? '' : ` (${others.join(', ')})`;
  const place = `${address}, held by "${holder}", asked for by "${node}" on ${link}`;
  return {
    type: 'Warning',
    reason: finding,
    message: `${place}: ${testimonies[finding]}${who}; ${remedies[finding]}`,
  } as const;
}

/** Milliseconds to a tenth: more digits are noise. */
const rounded = (fields: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'number' ? Math.round(value * 10) / 10 : value,
    ]),
  );
