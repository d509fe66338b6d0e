import { formatTable } from './job.ts';
import { type Sight, timeOf } from './sightings.ts';

export type View = {
  /** What can be done with the lab. */
  readonly hints: readonly string[];
  readonly sights: readonly Sight[];
  /** Who has power. */
  readonly power: string;
  /** The oldest first. */
  readonly moves: readonly string[];
};

const movesShown = { most: 8, least: 2 };
/** The head of the table and its rule, who has power, and the head of the moves. */
const frameLines = 4;
/** Below so many lines for addresses and moves, the hints make room: they stand above the picture, too. */
const leastLines = 6;

/** The live view in so many lines, and no more; says how many addresses are left out. */
export function formatPicture({ hints, sights, power, moves }: View, rows: number): string[] {
  const shownHints = rows >= hints.length + frameLines + leastLines ? hints : [];
  const room = Math.max(rows - shownHints.length - frameLines, 0);
  const wantedMoves = Math.min(moves.length, movesShown.most);
  const lastMoves = Math.min(wantedMoves, Math.max(room - sights.length, movesShown.least));
  const [head = '', rule = '', ...all] = formatTable([
    ['address', 'service', 'held by', 'MAC', 'since'],
    ...sights.map(rowOf),
  ])
    .trimEnd()
    .split('\n');
  return [
    ...shownHints,
    head,
    rule,
    ...fit(all, Math.max(room - lastMoves, 1)),
    power,
    'last moves:',
    ...moves.slice(moves.length - lastMoves).map((move) => `  ${move}`),
  ];
}

const rowOf = ({ address, service, holder, mac, since }: Sight): string[] => [
  address,
  service,
  holder ?? '…',
  mac,
  since === undefined ? '' : timeOf(since),
];

function fit(lines: readonly string[], room: number): readonly string[] {
  if (lines.length <= room) return lines;
  const shown = lines.slice(0, room - 1);
  return [...shown, `… ${lines.length - shown.length} more: the terminal is not high enough`];
}
