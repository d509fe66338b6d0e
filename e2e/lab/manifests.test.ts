import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withLastApplied } from './manifests.ts';

test('an object bears what was applied, to the letter as kubectl writes it', () => {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', annotations: { 'metallb.io/address-pool': 'lan' } },
    spec: { type: 'LoadBalancer', ports: [{ port: 80, name: 'http' }] },
  };
  const { metadata, ...rest } = withLastApplied(service);
  assert.deepEqual(rest, { apiVersion: 'v1', kind: 'Service', spec: service.spec });
  // Captured from `kubectl create --save-config --dry-run=client --output=yaml`.
  assert.deepEqual(metadata.annotations, {
    'metallb.io/address-pool': 'lan',
    'kubectl.kubernetes.io/last-applied-configuration':
      '{"apiVersion":"v1","kind":"Service","metadata":{"annotations":{"metallb.io/address-pool":"lan"},"name":"web","namespace":"default"},"spec":{"ports":[{"name":"http","port":80}],"type":"LoadBalancer"}}\n',
  });
});
