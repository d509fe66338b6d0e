import { writeSync } from 'node:fs';

import { check, errnoName, libc, pinned, SystemError } from './libc.ts';

// sys/epoll.h, sys/eventfd.h
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;
const EFD_NONBLOCK = 0o4000;
const EFD_CLOEXEC = 0o2000000;

/**
 * `struct epoll_event`: u32 events, then u64 of our own, here the descriptor. The kernel packs it
 * on x86-64 only (`EPOLL_PACKED` in linux/eventpoll.h); elsewhere the second field is aligned.
 */
const layout = process.arch === 'x64' ? { bytes: 12, fdAt: 4 } : { bytes: 16, fdAt: 8 };
/** More descriptors than a node has links are served in turns. */
const mostEvents = 64;

/** Waits until one of several descriptors has something to read. Blocks its thread: for workers. */
export class Poll implements Disposable {
  readonly #fd = check('creating an epoll set', libc().epoll_create1(EPOLL_CLOEXEC));
  readonly #events = pinned(mostEvents * layout.bytes);
  readonly #eventView = new DataView(this.#events.buffer);
  #open = true;

  add(fd: number): void {
    check('watching a descriptor', this.#control(EPOLL_CTL_ADD, fd));
  }

  /** To be called before the descriptor is closed; one that is not watched is no error. */
  remove(fd: number): void {
    if (this.#control(EPOLL_CTL_DEL, fd) === 0) return;
    const code = errnoName();
    if (code !== 'ENOENT' && code !== 'EBADF')
      throw new SystemError('unwatching a descriptor', code);
  }

  /**
   * The descriptors that can be read, or have an error to fetch by reading; none when the time is
   * up or a signal came in. Whole milliseconds, rounded up; Infinity waits for ever.
   */
  wait(timeoutMs: number): readonly number[] {
    const limit =
      timeoutMs === Infinity ? -1 : Math.min(Math.max(Math.ceil(timeoutMs), 0), 0x7fffffff);
    const count = libc().epoll_wait(this.#fd, this.#events, mostEvents, limit);
    if (count < 0) {
      const code = errnoName();
      if (code === 'EINTR') return [];
      throw new SystemError('waiting for descriptors', code);
    }
    const ready: number[] = [];
    for (let index = 0; index < count; index++)
      ready.push(this.#eventView.getInt32(index * layout.bytes + layout.fdAt, true));
    return ready;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    libc().close(this.#fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #control(operation: number, fd: number): number {
    const event = pinned(layout.bytes);
    const view = new DataView(event.buffer);
    view.setUint32(0, EPOLLIN, true);
    view.setInt32(layout.fdAt, fd, true);
    return libc().epoll_ctl(this.#fd, operation, fd, event);
  }
}

/** A descriptor with which another thread interrupts a `Poll`: hand it `fd`, let it `wake`. */
export class Waker implements Disposable {
  readonly fd = check('creating an eventfd', libc().eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  #open = true;

  /** Takes back all wakes so far; the next `Poll.wait` waits again. */
  drain(): void {
    libc().read(this.fd, pinned(8), 8);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    libc().close(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Ends the wait of the thread whose `Waker` has this descriptor. Needs no C library of its own. */
export function wake(fd: number): void {
  writeSync(fd, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
}
