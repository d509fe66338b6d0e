import type { Action, Candidates, Event } from '../core/action.ts';
import { claim, drop, tellClaims } from '../core/claims.ts';
import type { ClaimItem } from '../core/message.ts';
import { claimsOf, isCandidate, openSegment, type Segment } from '../core/segment.ts';
import { step } from '../core/step.ts';
import { suspectAfterMs } from '../core/timing.ts';
import type { Core } from './core.ts';

/** Cores with one rule of the protocol taken out, each of which a few schedules have to catch. */
export const brokenCores: Readonly<Record<string, Core>> = {
  'silence is death, without a question': broken({
    before: (segment, event, nowMs) => {
      if (event.kind !== 'tick') return event;
      for (const peer of segment.peers.values()) {
        const silent = nowMs >= peer.heardAtMs + suspectAfterMs(peer.standing.intervalMs);
        if (!silent || peer.question !== undefined) continue;
        peer.question = { nonce: 0n, why: 'Silent', firstAtMs: -Infinity, againAtMs: nowMs };
      }
      return event;
    },
  }),

  'a silent peer is asked once': broken({
    before: (segment, event) => {
      for (const { question } of segment.peers.values()) {
        if (question?.why === 'Silent') question.againAtMs = Infinity;
      }
      return event;
    },
  }),

  'the terms of others count for nothing': broken({
    before: (_segment, event) => {
      if (event.kind !== 'frame') return event;
      const { message } = event;
      if (message.kind !== 'claims' && message.kind !== 'handover') return event;
      const claims = message.claims.map(({ address }) => ({ address, term: 1 }));
      return { ...event, message: { ...message, claims } };
    },
  }),

  'a newcomer does not listen': {
    open: (self) => ({ ...openSegment(self), phase: 'active' }),
    step,
  },

  'a node that returns takes its share back': broken({
    after: (segment, actions) => {
      if (!actions.some((one) => one.kind === 'phase' && one.phase === 'active')) return actions;
      const share = [...segment.claims].filter(
        ([address, { holder }]) =>
          holder !== undefined && holder !== segment.node && isCandidate(segment, address),
      );
      const taken = share.slice(0, Math.ceil(share.length / 2)).map(([address]) => address);
      return [...actions, ...takeAll(segment, taken)];
    },
  }),

  'who stood still answers at once': broken({
    after: (segment, actions) => {
      segment.hushedSinceMs = undefined;
      return actions.filter(({ kind }) => kind !== 'hush' && kind !== 'speak');
    },
  }),

  'a planned move is broken before it is made': broken({
    after: (_segment, actions) => [
      ...actions,
      ...actions.flatMap((action): Action[] =>
        action.kind === 'send' && action.message.kind === 'handover'
          ? action.message.claims.map(({ address }) => ({
              kind: 'yield',
              address,
              reason: 'HandedOver',
            }))
          : [],
      ),
    ],
  }),

  'a better claim is ignored': broken({
    before: (segment, event) => {
      if (event.kind !== 'frame' || event.message.kind !== 'claims') return event;
      const claims = event.message.claims.filter(
        ({ address }) => segment.claims.get(address)?.holder !== segment.node,
      );
      return { ...event, message: { ...event.message, claims } };
    },
  }),

  'every node comes first in its own rank': broken({
    before: (segment, event) => {
      const own = (candidates: Candidates): Candidates =>
        new Map(
          Array.from(candidates, ([address, all]) => [
            address,
            all.map(({ node }) => ({ node, score: node === segment.node ? 1 : 0 })),
          ]),
        );
      if (event.kind === 'plan') return { ...event, candidates: own(event.candidates) };
      return event.kind === 'amendment' ? { ...event, put: own(event.put) } : event;
    },
  }),

  'who was never heard is nobody': broken({
    before: (_segment, event) =>
      event.kind === 'plan' || event.kind === 'amendment' ? { ...event, roster: new Map() } : event,
  }),

  'who is sick counts as dead': broken({
    after: (segment, actions) => {
      if (segment.health !== 'sick') return actions;
      const given = claimsOf(segment, segment.node).map(({ address }): Action => {
        drop(segment, address, { reason: 'Released' }, segment.steppedAtMs);
        return { kind: 'yield', address, reason: 'Sick' };
      });
      return [...actions, ...given];
    },
  }),

  'the sick come as early as the well': broken({
    before: (_segment, event) =>
      event.kind === 'health' ? { kind: 'health', health: 'well' } : event,
  }),

  'who is not sick is well': broken({
    before: (_segment, event) =>
      event.kind === 'health' && event.health !== 'sick'
        ? { kind: 'health', health: 'well' }
        : event,
  }),

  'what is taken from a holder that does not answer is told to nobody': broken({
    after: (_segment, actions) => {
      const taken = actions.some((one) => one.kind === 'hold' && one.reason === 'Unanswered');
      return taken ? actions.filter(({ kind }) => kind !== 'send') : actions;
    },
  }),

  'claims that were lost are not asked for': broken({
    after: (_segment, actions) =>
      actions.filter((action) => action.kind !== 'send' || action.message.kind !== 'pull'),
  }),
};

type Break = {
  readonly before?: (segment: Segment, event: Event, nowMs: number) => Event;
  readonly after?: (segment: Segment, actions: readonly Action[]) => readonly Action[];
};

function broken({ before = (_, event) => event, after = (_, actions) => actions }: Break): Core {
  return {
    open: openSegment,
    step: (segment, event, nowMs) =>
      after(segment, step(segment, before(segment, event, nowMs), nowMs)),
  };
}

function takeAll(segment: Segment, addresses: readonly string[]): Action[] {
  const claims: ClaimItem[] = addresses.map((address) => claim(segment, address));
  const holds = claims.map((one): Action => ({ kind: 'hold', ...one, reason: 'Unclaimed' }));
  return [...holds, ...tellClaims(segment, 'all', claims)];
}
