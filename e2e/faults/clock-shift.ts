/**
 * Loaded before a program, this puts its wall clock off: `node --import '…/clock-shift.ts?ms=3600000' …`. Monotonic
 * time runs on as it is. OpenSSL looks at the clock of the system: whether a certificate is still valid is not judged
 * by the shifted one.
 */
const shiftMs = Number(new URL(import.meta.url).searchParams.get('ms'));
if (!Number.isFinite(shiftMs)) throw new Error(`${import.meta.url}: ms has to be a number`);

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
