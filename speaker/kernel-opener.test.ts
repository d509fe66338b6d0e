import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Unfit } from './io/kernel-responder.ts';
import { kernelOpener } from './kernel-opener.ts';
import type { Fact } from './orders.ts';
import { link } from './testing/link.ts';

const unfit = (reason: Unfit['reason']) => (): Unfit => ({
  kind: 'unfit',
  reason,
  detail: 'not permitted (EPERM).',
});

const notReported = () => assert.fail('reported');

describe('opening a kernel responder', () => {
  it('is not tried where a packet socket is wanted', () => {
    const open = () => assert.fail('tried');
    assert.equal(kernelOpener('packet', notReported, open)(link()), undefined);
  });

  it('leaves the link to the packet socket where the kernel cannot, and says why, once', () => {
    const facts: Fact[] = [];
    const open = kernelOpener('auto', (fact) => void facts.push(fact), unfit('RightMissing'));
    for (const name of ['eth0', 'eth1', 'eth0']) assert.equal(open(link({ name })), undefined);
    assert.deepEqual(facts, [
      { kind: 'unfit', link: 'eth0', reason: 'RightMissing', detail: 'not permitted (EPERM).' },
    ]);
  });

  it('ends the speaker where the settings insist, and says why and what else there is', () => {
    const open = kernelOpener('kernel', notReported, unfit('KernelUnable'));
    assert.throws(
      () => open(link()),
      /on eth0 .*\(KernelUnable\): not permitted \(EPERM\)\. With --responder=auto/,
    );
  });

  it('is no fault where the link has gone meanwhile', () => {
    const open = kernelOpener('kernel', notReported, unfit('LinkGone'));
    assert.equal(open(link()), undefined);
  });
});
