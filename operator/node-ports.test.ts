import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodePorts } from './node-ports.ts';

const rivals = (ports: NodePorts, service: string, pool: string, ...wanted: readonly string[]) =>
  ports
    .rivalsOf(service, pool, wanted)
    .map((one) => `${one.service} ${one.port} ${one.ahead ? 'ahead' : 'behind'}`);

test('a port has those who came, in the order in which they came', () => {
  const ports = new NodePorts();
  ports.claim('a', 'nodes', ['TCP/80', 'TCP/443']);
  ports.claim('b', 'nodes', ['TCP/443', 'UDP/80']);
  assert.deepEqual(rivals(ports, 'b', 'nodes', 'TCP/443', 'UDP/80'), ['a TCP/443 ahead']);
  assert.deepEqual(rivals(ports, 'a', 'nodes', 'TCP/443'), ['b TCP/443 behind']);
  assert.deepEqual(rivals(ports, 'c', 'nodes', 'TCP/443'), ['a TCP/443 ahead', 'b TCP/443 ahead']);
});

test('to claim again keeps the place, and gives back the ports that are left out', () => {
  const ports = new NodePorts();
  ports.claim('a', 'nodes', ['TCP/80', 'TCP/443']);
  ports.claim('b', 'nodes', ['TCP/80']);
  ports.claim('a', 'nodes', ['TCP/80']);
  assert.deepEqual(rivals(ports, 'b', 'nodes', 'TCP/80', 'TCP/443'), ['a TCP/80 ahead']);
});

test('a Service that goes to another pool comes last there', () => {
  const ports = new NodePorts();
  ports.claim('a', 'east', ['TCP/80']);
  ports.claim('b', 'west', ['TCP/80']);
  assert.deepEqual(rivals(ports, 'a', 'west', 'TCP/80'), ['b TCP/80 ahead']);
  ports.claim('a', 'west', ['TCP/80']);
  assert.deepEqual(rivals(ports, 'a', 'west', 'TCP/80'), ['b TCP/80 ahead']);
});

test('a Service that releases is nobody’s rival any more', () => {
  const ports = new NodePorts();
  ports.claim('a', 'nodes', ['TCP/80']);
  ports.release('a');
  ports.release('a');
  assert.deepEqual(rivals(ports, 'b', 'nodes', 'TCP/80'), []);
  assert.deepEqual([...ports.services], []);
});
