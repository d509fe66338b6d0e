import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { makeAuthority } from './authority.ts';

const now = new Date('2026-05-17T10:20:30Z');
const authority = makeAuthority('test-ca', now);
const root = new X509Certificate(authority.cert);

test('an authority vouches for itself and for what it issues', () => {
  const issued = new X509Certificate(authority.issue({ name: 'server' }).cert);
  assert.ok(root.ca);
  assert.ok(root.verify(root.publicKey));
  assert.ok(issued.checkIssued(root));
  assert.ok(issued.verify(root.publicKey));
  assert.ok(!issued.ca);
});

test('another authority of the same name does not vouch for it', () => {
  const issued = new X509Certificate(authority.issue({ name: 'server' }).cert);
  const other = new X509Certificate(makeAuthority('test-ca', now).cert);
  assert.ok(!issued.verify(other.publicKey));
});

test('a server is known by its names and addresses only', () => {
  const hosts = ['kubernetes.default.svc', '198.51.100.10', '2001:db8::10'];
  const issued = new X509Certificate(authority.issue({ name: 'server', hosts }).cert);
  assert.equal(issued.checkHost('kubernetes.default.svc'), 'kubernetes.default.svc');
  assert.equal(issued.checkIP('198.51.100.10'), '198.51.100.10');
  assert.equal(issued.checkIP('2001:db8::10'), '2001:db8::10');
  assert.equal(issued.checkHost('elsewhere'), undefined);
  assert.equal(issued.checkIP('198.51.100.11'), undefined);
});

test('a client carries its user and group, and the key fits', () => {
  const { cert, key } = authority.issue({ name: 'admin', organization: 'system:masters' });
  const issued = new X509Certificate(cert);
  assert.equal(issued.subject, 'O=system:masters\nCN=admin');
  assert.ok(issued.checkPrivateKey(createPrivateKey(key)));
});

test('a clock that is a day behind or four weeks ahead still accepts it', () => {
  const issued = new X509Certificate(authority.issue({ name: 'server' }).cert);
  assert.equal(issued.validFromDate.toISOString(), '2026-05-16T10:20:30.000Z');
  assert.equal(issued.validToDate.toISOString(), '2026-06-16T10:20:30.000Z');
});
