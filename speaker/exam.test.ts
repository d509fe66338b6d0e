import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { examsOfVerdict, findingOf, type Seen, verdictOf } from './exam.ts';

const holder = '02:00:00:00:00:01';
const peer = '02:00:00:00:00:02';
const foreign = '02:00:00:00:00:99';
const peers = new Set([holder, peer]);

const answeredBy = (...macs: readonly string[]): Seen => ({ macs: new Set(macs), isDeaf: false });
const nobody = answeredBy();
const nobodyAtAll: Seen = { macs: new Set(), isDeaf: true };
const thrice = (seen: Seen) => Array<Seen>(examsOfVerdict).fill(seen);

test('one exam finds who answers', () => {
  assert.equal(findingOf(holder, answeredBy(holder)), 'Right');
  assert.equal(findingOf(holder, nobody), 'Silent');
  assert.equal(findingOf(holder, nobodyAtAll), 'Uncertain');
  assert.equal(findingOf(holder, answeredBy(foreign)), 'Mismatch');
  assert.equal(findingOf(holder, answeredBy(foreign, holder)), 'Doubled');
});

describe('the verdict', () => {
  const verdict = (...seen: readonly Seen[]) => verdictOf(holder, seen, peers);

  test('is right as soon as the holder answers alone, whatever was before', () => {
    for (const before of [[], [nobody], [answeredBy(foreign), nobody]]) {
      assert.equal(verdict(...before, answeredBy(holder))?.finding, 'Right');
    }
  });

  test('waits for exams in a row', () => {
    assert.equal(verdict(nobody), undefined);
    assert.equal(verdict(nobody, nobody), undefined);
    assert.equal(verdict(nobody, nobody, nobody)?.finding, 'Silent');
  });

  test('moves what stays silent, or what a speaker answers for that does not hold it', () => {
    assert.equal(verdict(...thrice(nobody))?.isToMove, true);
    assert.equal(verdict(...thrice(answeredBy(peer)))?.isToMove, true);
    assert.equal(verdict(nobody, answeredBy(peer), nobody)?.isToMove, true);
  });

  test('moves nothing that a foreign machine answers for, and names it', () => {
    for (const seen of [answeredBy(foreign), answeredBy(foreign, peer)]) {
      const found = verdict(nobody, seen, seen);
      assert.equal(found?.isToMove, false);
      assert.ok(found.others.includes(foreign));
    }
    assert.equal(verdict(answeredBy(foreign), nobody, nobody)?.isToMove, false);
  });

  test('moves nothing that its holder answers for', () => {
    const found = verdict(...thrice(answeredBy(holder, peer)));
    assert.deepEqual(found, { finding: 'Doubled', others: [peer], isToMove: false });
    assert.equal(verdict(nobody, nobody, answeredBy(holder, peer))?.isToMove, false);
  });

  test('moves nothing while the witness may be deaf', () => {
    const found = verdict(nobody, nobody, nobodyAtAll);
    assert.deepEqual(found, { finding: 'Uncertain', others: [], isToMove: false });
    assert.equal(verdict(nobody, nobodyAtAll, nobody)?.isToMove, false);
    // In the first one nobody else was asked.
    assert.equal(verdict(nobodyAtAll, nobody, nobody)?.isToMove, true);
  });
});
