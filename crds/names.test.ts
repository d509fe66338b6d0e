import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { annotationKey, findAnnotation, readAnnotation } from './names.ts';

describe('readAnnotation', () => {
  it('reads either prefix', () => {
    assert.equal(readAnnotation({ 'metallb.io/address-pool': 'lan' }, 'address-pool'), 'lan');
    assert.equal(
      readAnnotation({ 'metallb.universe.tf/address-pool': 'lan' }, 'address-pool'),
      'lan',
    );
  });

  it('lets metallb.io win where both are there, even when it is empty', () => {
    const annotations = {
      'metallb.universe.tf/allow-shared-ip': 'old',
      'metallb.io/allow-shared-ip': '',
    };
    assert.equal(readAnnotation(annotations, 'allow-shared-ip'), '');
  });

  it('finds nothing in annotations of others, or in none', () => {
    assert.equal(readAnnotation({ 'example.com/address-pool': 'lan' }, 'address-pool'), undefined);
    assert.equal(readAnnotation({ 'address-pool': 'lan' }, 'address-pool'), undefined);
    assert.equal(readAnnotation(undefined, 'address-pool'), undefined);
  });
});

it('findAnnotation names the key that was written, for messages', () => {
  const annotations = { 'metallb.universe.tf/loadBalancerIPs': '198.51.100.7' };
  assert.deepEqual(findAnnotation(annotations, 'loadBalancerIPs'), {
    key: 'metallb.universe.tf/loadBalancerIPs',
    value: '198.51.100.7',
  });
  assert.equal(annotationKey('loadBalancerIPs'), 'metallb.io/loadBalancerIPs');
});
