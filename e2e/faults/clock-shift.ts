/**
 * Loaded before a program, this puts its wall clock off: `node --import '…/clock-shift.ts?ms=3600000' …`; with
 * `&on=SIGUSR2` it is right at first, and stepped when that signal comes. Monotonic time runs on as it is. OpenSSL looks at the clock of the system: whether a certificate is still valid is not judged
 * by the shifted one.
 */
const { searchParams } = new URL(import.meta.url);
const wantedMs = Number(searchParams.get('ms'));
if (!Number.isFinite(wantedMs)) throw new Error(`${import.meta.url}: ms has to be a number`);
const signal = searchParams.get('on');
let shiftMs = signal === null ? wantedMs : 0;
if (signal !== null) process.on(signal, () => (shiftMs = wantedMs));

const SystemDate = Date;

class ShiftedDate extends SystemDate {
  constructor(...parts: readonly unknown[]) {
    const given = parts.length === 0 ? [ShiftedDate.now()] : parts;
    // The many signatures of Date come to this.
    super(...(given as [number]));
  }

  static override now(): number {
    return new SystemDate().getTime() + shiftMs;
  }
}

Object.assign(globalThis, { Date: ShiftedDate });

export {};
