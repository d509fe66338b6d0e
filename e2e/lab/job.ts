import { systemClock } from '../../daemon/clock.ts';
import { explain } from '../../daemon/log.ts';

export type Step = {
  readonly title: string;
  /** `passed over`: an earlier step failed, so this one was not tried. */
  readonly outcome: 'held' | 'failed' | 'passed over';
  readonly seconds: number;
  /** What was seen to be so. */
  readonly checks: readonly string[];
  /** The figures of this step, for the table. */
  readonly measured: string;
  readonly fault?: string;
};

export type StepReport = {
  /** States a fact; a fact that does not hold ends the step. */
  readonly check: (fact: string, holds: boolean, otherwise?: string) => void;
  /** A line that explains. */
  readonly say: (line: string) => void;
  readonly measured: (figures: string) => void;
};

/** What a step cannot see for itself. */
export type Beside = {
  /** Programs that ended although nobody ended them: the step that sees the first one fails. */
  readonly crashes: () => readonly string[];
  /** Shown after a failure, because it may explain it. */
  readonly logs: () => string;
};

/** A list of steps, each told while it runs; after one that failed the others are passed over. */
export class Job {
  readonly #write: (text: string) => void;
  readonly #beside: Beside;
  readonly #steps: Step[] = [];

  constructor(write: (text: string) => void, beside: Beside) {
    this.#write = write;
    this.#beside = beside;
  }

  get steps(): readonly Step[] {
    return this.#steps;
  }

  get held(): boolean {
    return this.#steps.every(({ outcome }) => outcome === 'held');
  }

  async step(title: string, work: (report: StepReport) => Promise<void>): Promise<void> {
    const number = this.#steps.length + 1;
    if (!this.held) {
      this.#steps.push({ title, outcome: 'passed over', seconds: 0, checks: [], measured: '' });
      return;
    }
    this.#write(`\n${number}. ${title}\n`);
    const fromMs = systemClock.nowMs();
    const checks: string[] = [];
    let measured = '';
    const end = (outcome: Step['outcome'], fault?: string): void => {
      const seconds = Math.round(systemClock.nowMs() - fromMs) / 1000;
      const told = { title, outcome, seconds, checks, measured };
      this.#steps.push(fault === undefined ? told : { ...told, fault });
    };
    try {
      await work({
        check: (fact, holds, otherwise) => {
          if (!holds)
            throw new Error(`this does not hold: ${fact}${otherwise ? ` (${otherwise})` : ''}`);
          checks.push(fact);
          this.#write(`   ok  ${fact}\n`);
        },
        say: (line) => this.#write(`       ${line}\n`),
        measured: (figures) => {
          measured = figures;
        },
      });
      if (this.#beside.crashes().length > 0) throw new Error('a program ended by itself');
      end('held');
    } catch (error) {
      const fault = [explain(error), ...this.#beside.crashes()].join('; ');
      end('failed', fault);
      this.#write(`   FAILED  ${fault}\n${this.#beside.logs()}`);
    }
  }

  /** One row per step. */
  table(): string {
    const rows = this.#steps.map(({ title, outcome, seconds, measured }, index) => [
      `${index + 1}`,
      title,
      outcome,
      outcome === 'passed over' ? '' : `${seconds.toFixed(1)} s`,
      measured,
    ]);
    return formatTable([['', 'step', 'outcome', 'time', 'measured'], ...rows]);
  }
}

/** Columns as wide as their widest cell; the first row is the head. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [lines[0], rule, ...lines.slice(1), ''].join('\n');
}
