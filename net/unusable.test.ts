import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAddress } from './address.ts';
import { unusableAs } from './unusable.ts';

const isUsable = (text: string): boolean => {
  const address = parseAddress(text);
  assert.ok(address, text);
  return unusableAs(address) === undefined;
};

test('loopback, multicast, broadcast and unspecified addresses cannot be those of a Service, to their last one', () => {
  for (const text of [
    '0.0.0.0',
    '0.255.255.255',
    '127.0.0.0',
    '127.255.255.255',
    '224.0.0.0',
    '239.255.255.255',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:198.51.100.7',
    'ff00::',
    'ff02::1',
    'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  ])
    assert.equal(isUsable(text), false, text);
});

test('their neighbours can, and so can link-local ones, on their link', () => {
  for (const text of [
    '1.0.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '223.255.255.255',
    '240.0.0.0',
    '255.255.255.254',
    '169.254.7.7',
    '::2',
    '::1:0:0:0',
    'feff:ffff::',
    'fe80::7',
  ])
    assert.equal(isUsable(text), true, text);
});
