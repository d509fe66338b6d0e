import { perSecond, spanOf, statusWrite } from './audit.ts';
import { concurrency, countsOf, isDone, take } from './assigning.ts';
import { type Ground, users } from './ground.ts';
import { Listener } from './listener.ts';
import { Speaker, type SpeakerCost } from './speaker.ts';

/**
 * All Services wait for an address when the operator starts, and one speaker is there to announce them. By the API
 * server's audit log, and by what a neighbour on the LAN hears.
 */
export type Announcing = {
  /** From the operator's first write: to its last, and to when the last address was announced for the first time. */
  readonly assignedSeconds: number;
  readonly announcedSeconds: number;
  readonly operatorPerSecond: number;
  readonly speaker: SpeakerCost;
  /** What the speaker asked of the API server meanwhile: its reports and events follow at their own pace. */
  readonly requests: Readonly<Record<string, number>>;
};

export async function measureAnnouncing(ground: Ground, services: number): Promise<Announcing> {
  await ground.write('slices', services, concurrency);
  await take(ground, services);
  await using judge = await ground.follow();
  await using speaker = await Speaker.on(ground);
  await using listener = await Listener.on(ground.hosts);
  const mark = ground.audit.mark();
  const operator = ground.startOperator();
  await judge.see('all are assigned', isDone(services));
  const announcedAtMs = await listener.all(services);
  const writes = spanOf(ground.audit.since(mark, users.operator), statusWrite);
  const requests = countsOf(ground.audit.since(mark, users.speaker));
  const cost = speaker.cost();
  await operator.stop();
  return {
    assignedSeconds: (writes.lastMs - writes.firstMs) / 1_000,
    announcedSeconds: (announcedAtMs - writes.firstMs) / 1_000,
    operatorPerSecond: perSecond(writes),
    speaker: cost,
    requests,
  };
}
