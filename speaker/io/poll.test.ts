import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';

import { Poll, wake, Waker } from './poll.ts';
import { needsLinux } from './testing/two-hosts.ts';

describe('a poll', needsLinux, () => {
  it('names the descriptors that can be read, and no others', () => {
    using poll = new Poll();
    using first = new Waker();
    using second = new Waker();
    poll.add(first.fd);
    poll.add(second.fd);
    assert.deepEqual(poll.wait(0), []);
    wake(second.fd);
    assert.deepEqual(poll.wait(Infinity), [second.fd]);
    wake(first.fd);
    assert.deepEqual(new Set(poll.wait(Infinity)), new Set([first.fd, second.fd]));
  });

  it('waits again once the waker was drained, however often it was woken', () => {
    using poll = new Poll();
    using waker = new Waker();
    poll.add(waker.fd);
    for (let times = 0; times < 5; times++) wake(waker.fd);
    assert.deepEqual(poll.wait(0), [waker.fd]);
    waker.drain();
    waker.drain();
    assert.deepEqual(poll.wait(0), []);
  });

  it('does not wait shorter than asked', () => {
    using poll = new Poll();
    const start = performance.now();
    poll.wait(4.2);
    assert(performance.now() - start >= 4.2);
  });

  it('forgets what was removed, twice too, and what was closed', () => {
    using poll = new Poll();
    const waker = new Waker();
    poll.add(waker.fd);
    wake(waker.fd);
    poll.remove(waker.fd);
    poll.remove(waker.fd);
    assert.deepEqual(poll.wait(0), []);
    waker.close();
    waker.close();
    poll.remove(waker.fd);
  });

  it('is ended from another thread while it blocks', () => {
    using poll = new Poll();
    using waker = new Waker();
    poll.add(waker.fd);
    const poker = new Worker(
      `require('node:fs').writeSync(${waker.fd}, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]))`,
      { eval: true },
    );
    poker.unref();
    assert.deepEqual(poll.wait(5_000), [waker.fd]);
  });

  it('says what failed when told to watch what cannot be watched', () => {
    using poll = new Poll();
    assert.throws(() => poll.add(9_999), /watching a descriptor: .* \(EBADF\)/);
  });
});
