/** Replies as the client received them: times of one clock, in milliseconds, in order. */
export type ReplyTimes = readonly number[];

/**
 * How long the client had no answer around an event: the longest time between two replies that were
 * received one after the other, of which the later one came after the event. Where no reply came after
 * the last one, the time until `untilMs` counts as well, and no reply before the event means from
 * `fromMs` on.
 *
 * Nothing is subtracted: neither the interval of the probes nor the way there and back. So the figure
 * can be too high by one probe interval, and never too low.
 */
export function blackoutMs(
  replies: ReplyTimes,
  { fromMs, eventMs, untilMs }: { fromMs: number; eventMs: number; untilMs: number },
): number {
  const heard = replies.filter((at) => at > fromMs && at < untilMs);
  const marks = [fromMs, ...heard, untilMs];
  let longest = 0;
  for (const [index, at] of marks.entries()) {
    if (at > eventMs) longest = Math.max(longest, at - (marks[index - 1] ?? at));
  }
  return longest;
}
