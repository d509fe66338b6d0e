import { bpf, createShared } from '../bpf-objects.ts';
import { addressOf, check, libc, pinned, SystemError } from '../libc.ts';
import { needsLinux, type Needs, unless } from './two-hosts.ts';

const BPF_PROG_TEST_RUN = 10;
const mostBytes = 2048;

/** What a program made of a frame. */
export type Outcome = { readonly verdict: number; readonly frame: Uint8Array };

/**
 * For tests: has the kernel run a program over a frame as if it had come in through a loopback link, whose MAC is
 * 00:00:00:00:00:00.
 *
 * | 0: u32 program | 4: u32 verdict, out | 8: u32 bytes in | 12: u32 bytes out | 16: u64 in | 24: u64 out | 32: u32 runs |
 */
export function runProgram(program: number, frame: Uint8Array): Outcome {
  const attributes = pinned(80);
  const [given, taken] = [pinned(frame.length), pinned(mostBytes)];
  given.set(frame);
  const view = new DataView(attributes.buffer);
  view.setUint32(0, program, true);
  view.setUint32(8, given.length, true);
  view.setUint32(12, taken.length, true);
  view.setBigUint64(16, addressOf(given), true);
  view.setBigUint64(24, addressOf(taken), true);
  check('running a program', bpf(BPF_PROG_TEST_RUN, attributes));
  return { verdict: view.getInt32(4, true), frame: taken.slice(0, view.getUint32(12, true)) };
}

/** Options for `describe`: skips where the kernel takes no programs from us. */
export const needsBpf: Needs =
  needsLinux.skip === false
    ? unless(
        mayUseBpf(),
        'needs a kernel that takes eBPF programs, and the right to load them: run it as root',
      )
    : needsLinux;

function mayUseBpf(): boolean {
  try {
    libc().close(createShared(8));
    return true;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  }
}
