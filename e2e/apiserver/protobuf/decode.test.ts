import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeProtobuf } from './decode.ts';

const text = (value: string): number[] => [...Buffer.from(value)];
/** A length-delimited field shorter than 128 bytes. */
const field = (number: number, ...bytes: number[]): number[] => [
  number * 8 + 2,
  bytes.length,
  ...bytes,
];
const bodyOf = (kind: string, ...object: number[]): Uint8Array =>
  Uint8Array.from([
    ...text('k8s\0'),
    ...field(1, ...field(1, ...text('v1')), ...field(2, ...text(kind))),
    ...field(2, ...object),
  ]);

test('an object is read by its field numbers, and what holds nothing is left out', () => {
  const label = field(11, ...field(1, ...text('a')), ...field(2, ...text('b')));
  const metadata = field(1, ...field(1, ...text('made')), ...field(2), ...label);
  assert.deepEqual(decodeProtobuf(bodyOf('Namespace', ...metadata, ...field(3))), {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'made', labels: { a: 'b' } },
  });
});

test('a field that is not known, another kind, and a __proto__ are not read at all', () => {
  assert.equal(decodeProtobuf(bodyOf('Namespace', ...field(9, 1))), undefined);
  assert.equal(decodeProtobuf(bodyOf('Lease')), undefined);
  const entry = field(11, ...field(1, ...text('__proto__')), ...field(2, ...text('b')));
  assert.equal(decodeProtobuf(bodyOf('Namespace', ...field(1, ...entry))), undefined);
});

test('any bytes are refused or read, and nothing is thrown', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      decodeProtobuf(bytes);
      decodeProtobuf(bodyOf('Service', ...bytes.map((byte) => byte)));
      decodeProtobuf(bodyOf('ConfigMap', ...field(2, ...bytes)));
    }),
    { numRuns: 2000 },
  );
});
