import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatPicture, type View } from './picture.ts';

const since = new Date(2026, 0, 1, 12, 0, 0);
const viewOf = (addresses: number, moves: number): View => ({
  hints: ['The lab stays until Ctrl-C.', '  kubectl …', ''],
  sights: Array.from({ length: addresses }, (_, index) => ({
    address: `198.51.100.${index}`,
    service: 'web',
    holder: 'node-1',
    mac: '02:00:00:00:00:11',
    since,
  })),
  power: 'power: node-1 on',
  moves: Array.from({ length: moves }, (_, index) => `move ${index}`),
});

test('a picture has no more lines than the terminal, however much there is to show', () => {
  for (let rows = 7; rows <= 60; rows++) {
    for (const [addresses, moves] of [[0, 0] as const, [3, 1] as const, [40, 100] as const]) {
      const lines = formatPicture(viewOf(addresses, moves), rows);
      assert(lines.length <= rows, `${lines.length} lines on ${rows} rows`);
      assert(lines.includes('power: node-1 on'));
    }
  }
});

test('addresses that find no room are counted', () => {
  const lines = formatPicture(viewOf(22, 9), 24);
  const shown = lines.filter((line) => line.startsWith('198.51.100.')).length;
  assert(shown > 0);
  assert(lines.includes(`… ${22 - shown} more: the terminal is not high enough`));
  assert(lines.includes('  move 8'), 'the last moves stay in sight');
});

test('everything is shown where there is room', () => {
  const lines = formatPicture(viewOf(5, 9), 40);
  assert.equal(lines[0], 'The lab stays until Ctrl-C.');
  assert.equal(lines.filter((line) => line.startsWith('198.51.100.')).length, 5);
  assert.deepEqual(lines.slice(-8)[0], '  move 1');
  assert(!lines.some((line) => line.startsWith('…')));
});

test('on a low terminal the hints make room for the addresses', () => {
  const lines = formatPicture(viewOf(5, 1), 12);
  assert(!lines.includes('The lab stays until Ctrl-C.'));
  assert.equal(lines.filter((line) => line.startsWith('198.51.100.')).length, 5);
});
