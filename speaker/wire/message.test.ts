import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatAddress } from '../../net/address.ts';
import { macFromBytes } from '../../net/mac.ts';
import { claimsPerMessage, type Message } from '../core/message.ts';
import { overheadBytes } from './envelope.ts';
import { formatMessage, parseMessage } from './message.ts';

const bits32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const bits48 = fc.integer({ min: 1, max: 2 ** 48 - 1 });
const nonce = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const standing = fc.record(
  {
    phase: fc.constantFrom('listening', 'active', 'leaving', 'left' as const),
    health: fc.constantFrom('well', 'unsure', 'sick', 'mending' as const),
    intervalMs: fc.integer({ min: 5, max: 65535 }),
    claims: fc.record({ count: bits32, sum: bits32 }, { noNullPrototype: true }),
  },
  { noNullPrototype: true },
);
const address = fc.oneof(
  bits32.map((value) => formatAddress({ family: 'IPv4', value: BigInt(value) })),
  fc
    .bigInt({ min: 0n, max: 2n ** 128n - 1n })
    .map((value) => formatAddress({ family: 'IPv6', value })),
);
const claim = fc.record({ address, term: bits48 }, { noNullPrototype: true });
const claims = fc.array(claim, { maxLength: claimsPerMessage });
const part = fc.integer({ min: 0, max: 999 });
const sender = {
  node: fc.stringMatching(/^[a-z0-9.-]{1,253}$/),
  mac: fc.uint8Array({ minLength: 6, maxLength: 6 }).map(macFromBytes),
};
const message: fc.Arbitrary<Message> = fc.oneof(
  fc.record({ ...sender, kind: fc.constant('pulse' as const), standing }),
  fc.record({ ...sender, kind: fc.constant('ask' as const), nonce }),
  fc.record({ ...sender, kind: fc.constant('answer' as const), nonce, standing }),
  fc.record({ ...sender, kind: fc.constant('pull' as const) }),
  fc.record({ ...sender, kind: fc.constant('claims' as const), version: bits48, claims }),
  fc.record({
    ...sender,
    kind: fc.constant('claims' as const),
    version: bits48,
    claims,
    snapshot: part.map((at) => ({ part: at, parts: 1000 })),
  }),
  fc.record({ ...sender, kind: fc.constant('release' as const), version: bits48, claims }),
  fc.record({ ...sender, kind: fc.constant('handover' as const), claims }),
);

test('a message that is written and read is the same, and fits the smallest link', () => {
  fc.assert(
    fc.property(message, (sent) => {
      const { kind, payload } = formatMessage(sent);
      assert.ok(payload.length + overheadBytes <= 1280, `${payload.length} bytes`);
      assert.deepEqual({ ...parseMessage(kind, payload) }, { ...sent });
    }),
  );
});

test('any bytes are refused, or written back as they were', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 9 }),
      fc.uint8Array({ maxLength: 200 }),
      (kind, bytes) => {
        const read = parseMessage(kind, bytes);
        if (read === undefined) return;
        const written = formatMessage(read);
        assert.equal(written.kind, kind);
        assert.deepEqual(parseMessage(kind, written.payload), read);
      },
    ),
    { numRuns: 2000 },
  );
});

test('a message cut short or with bytes left over is refused', () => {
  fc.assert(
    fc.property(message, fc.nat(), (sent, seed) => {
      const { kind, payload } = formatMessage(sent);
      assert.equal(parseMessage(kind, payload.subarray(0, seed % payload.length)), undefined);
      assert.equal(parseMessage(kind, Uint8Array.of(...payload, 0)), undefined);
    }),
  );
});

test('a pulse is these bytes', () => {
  const { kind, payload } = formatMessage({
    kind: 'pulse',
    node: 'node-1',
    mac: '02:00:00:00:00:01',
    standing: {
      phase: 'active',
      health: 'well',
      intervalMs: 100,
      claims: { count: 2, sum: 0x01020304 },
    },
  });
  assert.equal(kind, 1);
  assert.equal(
    Buffer.from(payload).toString('hex'),
    '06' + '6e6f64652d31' + '020000000001' + '01' + '00' + '0064' + '00000002' + '01020304',
  );
});
