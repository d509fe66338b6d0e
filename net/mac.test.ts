import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { broadcastMac, macFromBytes, macToBytes, parseMac } from './mac.ts';

const sixBytes = fc.uint8Array({ minLength: 6, maxLength: 6 });

describe('parseMac', () => {
  it('reads upper and lower case into one form', () => {
    assert.equal(parseMac('02:00:5E:10:00:FF'), '02:00:5e:10:00:ff');
    assert.equal(parseMac('ff:ff:ff:ff:ff:ff'), broadcastMac);
  });

  it('refuses anything else', () => {
    const texts = [
      '',
      '02:00:5e:10:00',
      '02:00:5e:10:00:ff:00',
      '02-00-5e-10-00-ff',
      '2:0:5e:10:0:ff',
      '02:00:5e:10:00:fg',
      '02:00:5e:10:00:ff\n',
      ' 02:00:5e:10:00:ff',
    ];
    for (const text of texts) assert.equal(parseMac(text), undefined, JSON.stringify(text));
  });
});

describe('MAC bytes', () => {
  it('and text are two forms of one address', () => {
    fc.assert(
      fc.property(sixBytes, (bytes) => {
        const mac = macFromBytes(bytes);
        assert.deepEqual(macToBytes(mac), new Uint8Array(bytes));
        assert.equal(parseMac(mac), mac);
      }),
    );
  });
});
