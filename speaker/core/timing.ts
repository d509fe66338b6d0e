/**
 * When a silent peer is suspected, when it is dead, and how often anything is repeated.
 *
 * A node that loses power did so somewhere between two pulses, so with the default interval T of 100 ms a client
 * sees no answer for 200 to 300 ms: silence from the last pulse (2½ T), then a question that stays unanswered (½ T).
 * The third pulse falls due inside that half interval, so three are missed before anybody is declared dead.
 */

/** Above this rate a node would do little but read pulses (1,000 a second cost 3 % of a core, measured). */
const pulsesPerSecondPerNode = 1000;

/** The interval that keeps what a node hears below the rate above. */
export function pulseIntervalMs(shortestMs: number, nodes: number): number {
  return Math.max(shortestMs, Math.ceil((nodes * 1000) / pulsesPerSecondPerNode));
}

export const suspectAfterMs = (intervalMs: number): number => 2.5 * intervalMs;
export const confirmationMs = (intervalMs: number): number => 0.5 * intervalMs;
/**
 * Where one frame in five is lost, each way, two pulses in a row are lost behind 0.8 · 0.2² of all pulses, and a question
 * or its answer 1 - 0.8² of the time. So a peer that lives dies to this node behind 0.032 · 0.36ⁿ of its pulses, for n
 * questions: below 10⁻⁷ from 13 on. With three more it stays there while a question and its answer take under 12 ms.
 */
export const questions = 16;
/**
 * Where many peers fall silent at once, as when a switch restarts, it is not by lost frames: they are asked twice at
 * least, and together twice a millisecond. 200 nodes that ask each other sixteen times have no time for anything else, as
 * a frame costs who hears it 30 µs (1,000 a second cost 3 % of a core, measured). Up to six are asked as often as one.
 *
 * @param silent how many are asked
 */
export const askAgainMs = (intervalMs: number, silent = 1): number => {
  const confirmation = confirmationMs(intervalMs);
  return Math.min(confirmation / 2, Math.max(confirmation / questions, silent / 2));
};
/** Who has longer to answer is asked less often: strangers, and all peers at once after a stall. */
export const askPatientlyMs = (intervalMs: number): number => intervalMs / 4;

/** A newcomer holds nothing for as long as it takes to miss nobody who is alive. */
export const listenMs = (intervalMs: number): number =>
  suspectAfterMs(intervalMs) + confirmationMs(intervalMs);
/** … and at most this much longer for peers whose claims do not arrive. */
export const listenAtMostMs = (intervalMs: number): number => 10 * intervalMs;

/** Not having run for this long, others may have declared us dead: answer nothing until they have been asked. */
export const stallMs = (intervalMs: number): number => 2 * intervalMs;

/**
 * A link that has lost its carrier for so long is given up where its peers can be told by another way. A cable that is
 * pulled stays out for seconds; what is shorter is the flicker of a port.
 */
export const carrierLostMs = 20;

/** By then everybody who speaks here has been heard once, if nothing is lost. */
export const hearAnyMs = (intervalMs: number): number => 1.25 * intervalMs;

/**
 * For so long the kernel may answer without this process. Shorter than a question of a peer stays unanswered before its
 * node is dead: had this process not stood still since before the last renewal, it would have answered the question.
 * So the lease has run out before anybody takes over, however many pulses were lost before.
 */
export const leaseMs = (intervalMs: number): number => 0.8 * confirmationMs(intervalMs);

/**
 * Each lower rank waits one step longer for a vacant address, in case the ones before it do not see the vacancy. Whoever
 * heard one pulse more of a dead node finds it dead one interval later, and its claim is on its way then.
 */
export const vacancyStepMs = (intervalMs: number): number => 1.5 * intervalMs;
/**
 * The same for an address that is new where another node is preferred: nobody waits for it yet, nodes hear of it a tenth
 * of a second and more apart where much is planned anew (measured), and who takes it first keeps it for a while.
 */
export const preferredStepMs = (intervalMs: number): number => 3 * intervalMs;
/** A step for any vacant address while a candidate still listens and may take what falls to it. */
export const vacancyStepWhileListeningMs = (intervalMs: number): number =>
  listenMs(intervalMs) + intervalMs;

/** Peers that come, or have listened enough, are looked at together: ten thousand vacancies take milliseconds each time. */
export const gatherMs = (intervalMs: number): number => intervalMs / 20;

/**
 * A handover that is not answered by a claim is repeated, then the next heir is asked. Where one frame in five is lost,
 * each way, twelve are in vain once in 200,000 times; with four, one address in sixty went to two heirs.
 */
export const handoverRepeatMs = 20;
export const handoverRepeats = 12;
/** A preferred node gets its addresses back when it has been active for so long: it boots, it does not flap. */
export const preferenceHoldMs = 30_000;
/** How often kube-proxy and the routers are asked, and how long they may take. */
export const checkEveryMs = 1000;
export const checkTimeoutMs = 1000;
/** One lost frame or one slow answer makes nobody sick. */
export const failuresToBeSick = 3;
/**
 * Nobody hands anything over to a node whose last failure is not this old: where all had the same fault, and some of them
 * one failure more than others, those are mending by then.
 */
export const sureAgainMs = 3000;
/** Who was sick is well after so long without a failure: what comes and goes must not move addresses each time. */
export const wellAgainMs = 30_000;
/** A well node that did not take over from a sick one is asked again after so long. */
export const reliefAgainMs = 1000;
/**
 * A node takes the same address from a holder that does not answer once in so long, and does not give it back meanwhile
 * to one that is preferred: two nodes that both hear badly must not pass an address to and fro.
 */
export const unansweredOnceMs = 300_000;
/** A leaving node stops waiting for heirs after this long; the pod's termination grace is longer. */
export const awaitHeirsAtMostMs = 2000;

/** Who is listed and silent is asked in datagrams; more of them less often, so that none sends over 200 a second. */
export const askUnheardMs = (roster: number): number => Math.max(1000, 5 * roster);
/** Whoever asked in a datagram is told everything in datagrams for so long: three questions, of which two may be lost. */
export const deafMs = 3500;
/**
 * For as long nodes may see different states of the API: a watch is late by less than a second, one that breaks is
 * back within three. Who holds what an unheard node may hold has given it up by then, and who takes it waits twice that.
 */
export const doubtedHoldMs = 5000;
export const doubtedTakeMs = 2 * doubtedHoldMs;

/**
 * So long after its own start a node counts speakers that are not ready among those that may hold addresses: they may
 * have started with it, and a kubelet asks for readiness every 5 s (`deploy/speaker.yaml`).
 */
export const startTogetherMs = 20_000;

/** Nothing is taken for so long while a peer that was just found has not told what it holds. */
export const introductionMs = (intervalMs: number): number => intervalMs;

/** Claims that differ from what a peer's pulse sums up are pulled, but not with every pulse heard. */
export const pullEveryMs = (intervalMs: number): number => intervalMs / 2;
/** Strangers that never prove themselves are forgotten. */
export const strangerMs = (intervalMs: number): number => 10 * intervalMs;
