import { percentile } from '../../lab/percentiles.ts';
import type { PlannedMove } from '../../lab/failover.ts';
import { type Answers, foreignPerSecond, type Latency, stormPerSecond } from './answers.ts';
import type { Blackouts } from './blackouts.ts';
import type { Keepalived } from './keepalived.ts';
import type { Memory } from './memory.ts';
import type { Paced } from './requester.ts';
import { isMeasured, type Unmeasured } from './unmeasured.ts';

/** What one run found. */
export type Findings = {
  readonly machine: string;
  /** Processes that wanted a processor, on average over a minute: the least and the most while it was measured. */
  readonly load: { readonly least: number; readonly most: number };
  readonly blackouts: Blackouts;
  /** The carrier of a link beside another one, through which the node can still be heard. */
  readonly secondCarrierLoss: readonly number[];
  readonly keepalived: readonly (Keepalived | Unmeasured)[];
  readonly answers: readonly (Answers | Unmeasured)[];
  readonly memory: readonly Memory[];
};

type Line = {
  readonly what: string;
  readonly measured: string;
  readonly target: string;
  /** `not asked`: the asker could not ask as fast as the target wants it. */
  readonly verdict: '' | 'reached' | 'MISSED' | 'not asked';
};

/** What is measured beside its target. */
export function linesOf({
  blackouts,
  secondCarrierLoss,
  keepalived,
  answers,
  memory,
}: Findings): readonly Line[] {
  return [
    headed('No answer for'),
    beside('nothing happens', milliseconds(blackouts.calm)),
    line('power cut of the holder', milliseconds(blackouts.powerCut), powerCut(blackouts.powerCut)),
    ...keepalived.map((found) =>
      isMeasured(found)
        ? beside(
            `the same with keepalived ${found.version}, adverts every ${found.advertSeconds} s`,
            milliseconds(found.blackouts),
          )
        : beside('the same with keepalived', found.unmeasured),
    ),
    line(
      'carrier loss of its only link',
      milliseconds(blackouts.carrierLoss),
      powerCut(blackouts.carrierLoss),
    ),
    line('the same where it has another link', milliseconds(secondCarrierLoss), {
      target: 'p50 ≤ 50 ms',
      reached: percentile(secondCarrierLoss, 50) <= 50,
    }),
    isMeasured(blackouts.kill)
      ? line(
          'kill of its speaker, asked by ARP',
          milliseconds(blackouts.kill),
          powerCut(blackouts.kill),
        )
      : beside('kill of its speaker, asked by ARP', blackouts.kill.unmeasured),
    line(
      'planned move (SIGTERM)',
      milliseconds(blackouts.plannedMoves.map(blackoutOf)),
      hardlyFelt(blackouts.plannedMoves),
    ),
    line(
      'rolling restart of every speaker',
      milliseconds(blackouts.restarts.map(blackoutOf)),
      hardlyFelt(blackouts.restarts),
    ),
    headed('New connections that failed'),
    line('planned move', connections(blackouts.plannedMoves), noneFailed(blackouts.plannedMoves)),
    line(
      'rolling restart of every speaker',
      connections(blackouts.restarts),
      noneFailed(blackouts.restarts),
    ),
    ...answers.flatMap((found) =>
      isMeasured(found)
        ? [headed(`${found.protocol}, answered ${by[found.responder]}`), ...linesOfAnswers(found)]
        : [headed('Answers'), beside('all', found.unmeasured)],
    ),
    headed('Resident memory of a speaker'),
    ...memory.map(({ services, addresses, residentMb }) => {
      const mostMb = services <= 10 ? 70 : 110;
      return line(
        `${thousands(services)} Services on ${thousands(addresses)} addresses`,
        `${residentMb.toFixed(0)} MB`,
        { target: `≤ ${mostMb} MB`, reached: residentMb <= mostMb },
      );
    }),
  ];
}

const by = {
  packet: 'through a packet socket, as installed',
  kernel: "by the speaker's program in the kernel",
} as const;

function linesOfAnswers({
  speaker,
  kernel,
  storm,
  quietCpu,
  foreignCpu,
  foreign,
}: Answers): readonly Line[] {
  const ratio = speaker.arrived.p50 / kernel.arrived.p50;
  const cost = Math.max(0, foreignCpu - quietCpu);
  return [
    beside('Linux, for an address of the same node', microseconds(kernel)),
    beside('speaker', microseconds(speaker)),
    line('speaker ÷ Linux, p50', ratio.toFixed(1), { target: '≤ 2', reached: ratio <= 2 }),
    beside('the same when it has been read', (speaker.read.p50 / kernel.read.p50).toFixed(1)),
    beside(`lost at ${thousands(stormPerSecond)}/s: Linux`, losses(storm.kernel)),
    lostInStorm(storm.speaker),
    line(
      `CPU of ${thousands(foreignPerSecond)}/s for others`,
      `${cost.toFixed(1)} % (${foreignCpu.toFixed(1)} % at ${rateOf(foreign)}, ${quietCpu.toFixed(1)} % without)`,
      { target: '≤ 0.5 %', reached: cost <= 0.5 },
    ),
  ];
}

/** None lost of fewer questions says nothing of the target; some lost of fewer do. */
function lostInStorm(paced: Paced): Line {
  const what = `lost at ${thousands(stormPerSecond)}/s: speaker`;
  const reached = paced.answered + paced.overflowed >= paced.asked;
  const told = line(what, losses(paced), { target: '0', reached });
  const isTooSlow = paced.asked / paced.seconds < 0.95 * stormPerSecond;
  return reached && isTooSlow ? { ...told, verdict: 'not asked' } : told;
}

/** As Markdown, with what it was measured on. */
export function formatFindings(findings: Findings): string {
  const { machine, load } = findings;
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    `${machine}. A load of ${load.least.toFixed(0)} to ${load.most.toFixed(0)}, the run's own included.`,
    '',
    row(['', 'measured', 'target', '']),
    row(['---', '---', '---', '---']),
    ...linesOf(findings).map(({ what, measured, target, verdict }) =>
      row([what, measured, target, verdict]),
    ),
  ].join('\n');
}

type Goal = { readonly target: string; readonly reached: boolean };

const line = (what: string, measured: string, { target, reached }: Goal): Line => ({
  what,
  measured,
  target,
  verdict: reached ? 'reached' : 'MISSED',
});

const beside = (what: string, measured: string): Line => ({
  what,
  measured,
  target: '',
  verdict: '',
});

const headed = (title: string): Line => beside(`**${title}**`, '');

const powerCut = (samples: readonly number[]): Goal => ({
  target: 'p50 ≤ 300 ms, p99 ≤ 400 ms',
  reached: percentile(samples, 50) <= 300 && percentile(samples, 99) <= 400,
});

const blackoutOf = ({ blackoutMs }: PlannedMove): number => blackoutMs;

const hardlyFelt = (moves: readonly PlannedMove[]): Goal => ({
  target: '≤ 20 ms',
  reached: moves.every(({ blackoutMs }) => blackoutMs <= 20),
});

const noneFailed = (moves: readonly PlannedMove[]): Goal => ({
  target: '0',
  reached: moves.every(({ failed }) => failed.length === 0),
});

function milliseconds(samples: readonly number[]): string {
  const at = (p: number): string => percentile(samples, p).toFixed(0);
  return `p50 ${at(50)} ms, p99 ${at(99)} ms, max ${at(100)} ms (${samples.length} ×)`;
}

const microseconds = ({ arrived: { min, p50, p99 }, lost, asked }: Latency): string =>
  `min ${min.toFixed(1)} µs, p50 ${p50.toFixed(1)} µs, p99 ${p99.toFixed(0)} µs, ${lost} of ${thousands(asked)} lost`;

function connections(moves: readonly PlannedMove[]): string {
  const sum = (of: (move: PlannedMove) => number): number =>
    moves.reduce((all, move) => all + of(move), 0);
  const failed = sum((move) => move.failed.length);
  const cut = sum((move) => move.cut);
  return `${failed} of ${thousands(sum((move) => move.connections))} in ${moves.length} moves; ${cut} were under way and cut`;
}

const rateOf = ({ asked, seconds }: Paced): string => `${thousands(Math.round(asked / seconds))}/s`;

function losses(paced: Paced): string {
  const { asked, answered, overflowed } = paced;
  const late = overflowed > 0 ? `, ${thousands(overflowed)} by who asked` : '';
  return `${thousands(Math.max(0, asked - answered))} of ${thousands(asked)}${late}, asked at ${rateOf(paced)}`;
}

const thousands = (count: number): string => count.toLocaleString('en');
