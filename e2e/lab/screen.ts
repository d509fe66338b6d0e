/** A terminal, or a file or pipe in its place; what Node tells of a terminal's size follows its window. */
export type Output = {
  readonly isTTY: boolean;
  readonly rows?: number;
  readonly columns?: number;
  write(text: string): unknown;
};

export type Size = { readonly rows: number; readonly columns: number };

/** What ECMA-48 and xterm's control sequences call them. */
const alternateScreen = { enter: '\u001B[?1049h', leave: '\u001B[?1049l' };
const cursor = { hide: '\u001B[?25l', show: '\u001B[?25h', home: '\u001B[H' };
const erase = { line: '\u001B[2K', below: '\u001B[J' };

/** A terminal without a size, as on a serial line, has that of a VT100. */
const usualSize: Size = { rows: 24, columns: 80 };

/**
 * The alternate screen of a terminal: nothing that is drawn on it scrolls, and what stood before comes back when it is
 * disposed of, or the process exits.
 */
export class Screen implements Disposable {
  readonly #out: Output;
  #drawn = '';
  #entered = false;
  readonly #leave = (): void => {
    if (!this.#entered) return;
    this.#entered = false;
    this.#out.write(cursor.show + alternateScreen.leave);
  };

  constructor(out: Output) {
    this.#out = out;
    process.once('exit', this.#leave);
    this.#entered = true;
    out.write(alternateScreen.enter + cursor.hide);
  }

  get size(): Size {
    const { rows, columns } = this.#out;
    // Zero is what a terminal says that does not know.
    return { rows: rows || usualSize.rows, columns: columns || usualSize.columns };
  }

  /** Draws what fits of the lines; nothing where the same stands there already, so that text stays selected. */
  draw(lines: readonly string[]): void {
    const { rows, columns } = this.size;
    const shown = lines.slice(0, rows).map((line) => clip(line, columns));
    const drawing = `${rows}x${columns}\n${shown.join('\n')}`;
    if (drawing === this.#drawn) return;
    this.#drawn = drawing;
    // A line is erased before it is written: after one as wide as the terminal the cursor stands on its last character.
    const text = shown.map((line) => erase.line + line).join('\r\n');
    this.#out.write(cursor.home + text + (shown.length < rows ? `\r\n${erase.below}` : ''));
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#leave);
    this.#leave();
  }
}

/** At most so many columns, with an ellipsis for what is left out. */
function clip(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}
