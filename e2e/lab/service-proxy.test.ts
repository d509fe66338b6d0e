import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../../kube/object.ts';
import { proxyRules } from './service-proxy.ts';

const service = (addresses: readonly string[], ports: readonly number[]): Service => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: { ports: ports.map((port) => ({ port })) },
  status: { loadBalancer: { ingress: addresses.map((ip) => ({ ip })) } },
});
const rules = (services: readonly Service[]): string[] =>
  proxyRules(services, { address: '198.51.100.11', address6: '2001:db8::11' })
    .split('\n')
    .filter((line) => line.includes('daddr'))
    .map((line) => line.trim());

test("every port of an address leads to the node's own backend, and the echo port too", () => {
  assert.deepEqual(rules([service(['198.51.100.200'], [80])]), [
    'ip daddr 198.51.100.200 tcp dport 80 dnat ip to 198.51.100.11:8080',
    'ip daddr 198.51.100.200 udp dport 7 dnat ip to 198.51.100.11:8080',
  ]);
});

test('an IPv6 address leads to the backend of its own family', () => {
  assert.deepEqual(rules([service(['2001:db8::200'], [80])]), [
    'ip6 daddr 2001:db8::200 tcp dport 80 dnat ip6 to [2001:db8::11]:8080',
    'ip6 daddr 2001:db8::200 udp dport 7 dnat ip6 to [2001:db8::11]:8080',
  ]);
});

test('two Services on one address share its echo', () => {
  const echoes = rules([service(['198.51.100.200'], [80]), service(['198.51.100.200'], [443])]);
  assert.equal(echoes.filter((rule) => rule.includes('udp dport 7')).length, 1);
});

test('a Service without an address has no rules', () => {
  assert.deepEqual(rules([service([], [80]), { metadata: { name: 'new' } }]), []);
});
