import type { Mac } from '../net/mac.ts';

/** What came of asking for an address on the wire. */
export type Finding =
  /** Its holder answers, and nobody else. */
  | 'Right'
  | 'Silent'
  /** Others answer, and its holder does not. */
  | 'Mismatch'
  /** Its holder answers, and others do. */
  | 'Doubled'
  /** Nobody answers, not even for addresses that have nothing to do with it: the fault may be with who asks. */
  | 'Uncertain';

export type Fault = Exclude<Finding, 'Right'>;

/** When one question follows another. A client's kernel asks once a second (RFC 4861 §10). */
export const examTiming = {
  askAddressAgainMs: 250,
  /** After the last question. A kernel that is busy, or a responder that waits for its turn, answers within it. */
  answersWithinMs: 500,
  /** An exam that was not passed is taken again so much later, to outlast what is over soon. */
  repeatExamMs: 5000,
} as const;

/** So many questions are asked in the first exam, and in each that repeats it, while nobody answers. */
export const questionsOf = (repeat: number): number => (repeat === 0 ? 3 : 6);

/**
 * So many exams in a row make a verdict. With them, a holder that answers is found silent once in four million times on
 * a wire that loses a fifth of all frames: fifteen times in a row, the question or the answer would have to be lost.
 */
export const examsOfVerdict = 3;

/** What was seen in one exam. `isDeaf`: nothing was heard of anybody meanwhile, or some of it was lost. */
export type Seen = { readonly macs: ReadonlySet<Mac>; readonly isDeaf: boolean };

export function findingOf(holder: Mac, { macs, isDeaf }: Seen): Finding {
  if (macs.size === 0) return isDeaf ? 'Uncertain' : 'Silent';
  if (!macs.has(holder)) return 'Mismatch';
  return macs.size === 1 ? 'Right' : 'Doubled';
}

type Verdict = {
  readonly finding: Finding;
  /** Who answers beside the holder. */
  readonly others: readonly Mac[];
  /** Another holder would be better: this one does not answer, and no machine does that is none of ours. */
  readonly isToMove: boolean;
};

/**
 * What exams in a row come to; undefined: it has to be asked again.
 *
 * @param peers the MACs of all speakers of the segment. Where another machine answers, to move the address would help nobody.
 */
export function verdictOf(
  holder: Mac,
  seen: readonly Seen[],
  peers: ReadonlySet<Mac>,
): Verdict | undefined {
  const last = seen.at(-1);
  const finding = last === undefined ? undefined : findingOf(holder, last);
  if (last === undefined || finding === undefined) return undefined;
  const others = [...last.macs].filter((mac) => mac !== holder);
  if (finding === 'Right') return { finding, others, isToMove: false };
  if (seen.length < examsOfVerdict) return undefined;
  const isToMove = seen.every((one, index) => {
    const found = findingOf(holder, one);
    // The first exam asks nobody else, so that it cannot know whether anybody would be heard.
    if (found === 'Silent' || (found === 'Uncertain' && index === 0)) return true;
    return found === 'Mismatch' && [...one.macs].every((mac) => peers.has(mac));
  });
  return { finding, others, isToMove };
}
