import { env } from 'node:process';

/** `LAB_LENGTH=full` plays faults for as long as they are meant to last; otherwise they are over in seconds. */
export const isFull = env['LAB_LENGTH'] === 'full';

/** The options of a test that is not worth its minutes every time. */
export const inFull: { readonly skip: string | false } = {
  skip: isFull ? false : 'takes minutes: LAB_LENGTH=full plays it',
};
