import { env } from 'node:process';
import { test, type TestContext } from 'node:test';

/** `LAB_LENGTH=full` plays faults for as long as they are meant to last; otherwise they are over in seconds. */
export const isFull = env['LAB_LENGTH'] === 'full';

type Play = (t: TestContext) => Promise<void>;

/** A test that is not worth its minutes every time: there is none of it but in full length. */
export function inFull(
  name: string,
  play: Play,
  needs: { readonly skip?: string | false } = {},
): void {
  if (isFull) test(name, needs, play);
}
