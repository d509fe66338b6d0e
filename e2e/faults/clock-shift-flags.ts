/** What `node` is given before the program for the program's wall clock to be off. */
export function clockShift(shiftMs: number): readonly string[] {
  const preload = new URL(`clock-shift.ts?ms=${shiftMs}`, import.meta.url);
  return ['--import', preload.href];
}

/** The same, but the clock is right until the program gets this signal. */
export function clockStep(shiftMs: number, on: NodeJS.Signals): readonly string[] {
  const preload = new URL(`clock-shift.ts?ms=${shiftMs}&on=${on}`, import.meta.url);
  return ['--import', preload.href];
}
