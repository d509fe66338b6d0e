import type { Log } from '../daemon/log.ts';
import type { EventRecorder } from '../kube/events.ts';
import { kinds } from '../kube/kinds.ts';
import { keyOf, type Service } from '../kube/object.ts';
import { formatAddress } from '../net/address.ts';
import { explainRefusal, type Refusal } from './reasons.ts';
import type { News, Standing } from './status.ts';
import type { Tally } from './tally.ts';

/** Who tells people what has become of a Service: in an event, the log and the metrics. */
export type Herald = {
  tell(service: Service, news: News, standing: Standing): void;
  /** What is the case with the addresses of a Service besides. */
  warn(service: Service, warning: Refusal): void;
};

export function openHerald(to: {
  readonly events: Pick<EventRecorder, 'record'>;
  readonly tally: Tally;
  readonly log: Log;
}): Herald {
  const { events, tally, log } = to;
  const record = (service: Service, news: News) =>
    events.record({ ...service, apiVersion: 'v1', kind: kinds.service.kind }, news);
  return {
    tell(service, { type, reason, message }, { addresses, pool, refusal, evades }) {
      record(service, { type, reason, message });
      const fields = { service: keyOf(service), reason, addresses: addresses.map(formatAddress) };
      if (refusal === undefined) {
        tally.assigned(pool);
        log.info('assigned', { ...fields, pool, ...(evades && { detail: evades.detail }) });
      } else {
        tally.refused(refusal.reason);
        log.info('refused', { ...fields, detail: refusal.detail });
      }
    },
    warn(service, warning) {
      const { reason, detail } = warning;
      record(service, { type: 'Warning', reason, message: explainRefusal(warning) });
      log.info('warned', { service: keyOf(service), reason, detail });
    },
  };
}
