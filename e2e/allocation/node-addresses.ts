import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../daemon/clock.ts';
import { until } from '../../daemon/testing/until.ts';
import type { Found, Town, Wish } from './town.ts';
import { both, fromPool } from './wishes.ts';

const [a, b, c] = ['203.0.113.11', '203.0.113.12', '203.0.113.13'];
const port = (...ports: readonly number[]): Wish => ({
  spec: { ports: ports.map((one) => ({ name: `p${one}`, port: one })) },
});
const local: Wish = { spec: { externalTrafficPolicy: 'Local' } };

export function describeNodeAddresses(found: Found): void {
  describe('the addresses of the nodes themselves', () => {
    describeComingAndGoing(found);
    describeLastNode(found);
    describePorts(found);
    describePoolOfNodes(found);
  });
}

/** Until a Service has these addresses, in milliseconds. */
async function measure(town: Town, name: string, ips: string): Promise<number> {
  const startMs = systemClock.nowMs();
  await town.gets(name, ips);
  return systemClock.nowMs() - startMs;
}

function describeComingAndGoing(found: Found): void {
  test('are a Service’s within a second, and one that goes is gone within a second', async () => {
    await using town = await found();
    await town.node('a', a);
    await town.nodePool('nodes');
    town.start();
    await town.service('web');
    await town.gets('web', a);
    assert.equal(await town.reason('web'), 'IPAllocated');
    assert.equal(await town.poolOf('web'), 'nodes');
    await town.node('b', b, 'False');
    await town.node('b', b);
    const joinedMs = await measure(town, 'web', `${a} ${b}`);
    await town.node('a', a, 'Unknown');
    const leftMs = await measure(town, 'web', b);
    await town.node('c', c);
    await town.gets('web', `${b} ${c}`);
    await town.removeNode('b');
    const removedMs = await measure(town, 'web', c);
    for (const tookMs of [joinedMs, leftMs, removedMs]) assert.ok(tookMs < 1_000, `${tookMs} ms`);
  });

  test('with the Local policy are those of nodes that serve, within a second', async () => {
    await using town = await found();
    for (const [name, ip] of Object.entries({ a, b })) await town.node(name, ip);
    await town.service('web', both(local, fromPool('nodes')));
    await town.serve('web', 'a');
    // What serves is read only from when a pool of nodes is there.
    town.start();
    await town.told('web', 'PoolUnknown');
    await town.nodePool('nodes');
    await town.gets('web', a);
    await town.serve('web', 'b');
    const movedMs = await measure(town, 'web', b);
    assert.ok(movedMs < 1_000, `${movedMs} ms`);
    await town.serve('web');
    await town.told('web', 'NoServingNode', b);
    await town.edit('web', { spec: { externalTrafficPolicy: 'Cluster' } });
    await town.gets('web', `${a} ${b}`);
  });

  test('change with a node that flaps no more than twice for each Service', async () => {
    await using town = await found();
    for (const [name, ip] of Object.entries({ a, b })) await town.node(name, ip);
    await town.nodePool('nodes');
    let writes = 0;
    town.start({
      onWrite: async (go) => {
        writes++;
        return await go();
      },
    });
    const names = ['one', 'two', 'three'];
    for (const [index, name] of names.entries()) await town.service(name, port(8_000 + index));
    for (const name of names) await town.gets(name, `${a} ${b}`);
    writes = 0;
    for (let turn = 0; turn < 20; turn++)
      await town.node('b', b, turn % 2 === 0 ? 'False' : 'True');
    for (const name of names) await town.gets(name, a);
    assert.equal(writes, names.length);
    for (const name of names) await town.gets(name, `${a} ${b}`);
    assert.equal(writes, 2 * names.length);
  });

  test('stay as they are over a restart, without a write', async () => {
    await using town = await found();
    for (const [name, ip] of Object.entries({ a, b })) await town.node(name, ip);
    await town.nodePool('nodes');
    const first = town.start();
    await town.service('web');
    await town.gets('web', `${a} ${b}`);
    await first.kill();
    const before = await town.read('web');
    town.start();
    await town.settle();
    assert.deepEqual(await town.read('web'), before);
    await town.node('a', a, 'False');
    await town.gets('web', b);
  });
}

function describeLastNode(found: Found): void {
  test('stay when the last node is lost, and the Service is told', async () => {
    await using town = await found();
    await town.node('a', a);
    await town.nodePool('nodes');
    town.start();
    await town.service('web');
    await town.gets('web', a);
    await town.node('a', a, 'Unknown');
    await town.told('web', 'NoReadyNode', a);
    await town.service('late', port(8_080));
    await town.told('late', 'NoReadyNode');
    // It is better than none, and nothing to rely on yet.
    await town.node('a', a);
    await town.told('late', 'NoReadyNode', a);
    await town.told('web', 'NoReadyNode', a);
    await town.node('b', b);
    for (const name of ['web', 'late']) await town.told(name, 'IPAllocated', b);
  });
}

function describePorts(found: Found): void {
  test('have each port once: who comes second is told who has it, and gets it when that one goes', async () => {
    await using town = await found();
    for (const [name, ip] of Object.entries({ a, b })) await town.node(name, ip);
    await town.nodePool('nodes');
    town.start();
    await town.service('first', port(80, 443));
    await town.gets('first', `${a} ${b}`);
    await town.service('second', port(443));
    await town.told('second', 'PortTaken');
    const { status } = await town.read('second');
    const message = status?.conditions?.find(({ reason }) => reason === 'PortTaken')?.message;
    assert.match(
      message ?? '',
      /^port TCP\/443 of the nodes is held by [^/]+\/first\. Use another/,
    );
    await town.service('third', port(8_443));
    await town.gets('third', `${a} ${b}`);
    await town.edit('first', port(80));
    await town.gets('second', `${a} ${b}`);
    await town.edit('third', port(8_443, 80));
    await town.told('third', 'PortTaken');
    await town.remove('first');
    await town.gets('third', `${a} ${b}`);
  });

  test('are not given for a port that the machines need', async () => {
    await using town = await found();
    await town.node('a', a);
    await town.nodePool('nodes');
    town.start();
    for (const number of [22, 6443, 10_250]) {
      await town.service(`s${number}`, port(number));
      await town.told(`s${number}`, 'PortTaken');
    }
  });
}

function describePoolOfNodes(found: Found): void {
  test('are counted in the status of their pool, which needs no advertisement', async () => {
    await using town = await found();
    for (const [name, ip] of Object.entries({ a, b })) await town.node(name, ip);
    await town.nodePool('nodes');
    town.start();
    const shows = async (expected: string): Promise<void> => {
      await until(`the pool shows ${expected}`, async () => {
        const { status = {} } = await town.readPool('nodes');
        const { readyNodes, assignedIPv4, availableIPv4, conditions = [] } = status;
        const reasons = conditions.map(({ reason }) => reason);
        const now = [readyNodes, assignedIPv4, availableIPv4, ...reasons].join(' ');
        if (now !== expected) throw new Error(`it shows ${now}`);
        return true;
      });
    };
    await shows('2 0 2 Accepted RoomLeft');
    await town.service('web');
    await shows('2 2 0 Accepted RoomLeft');
    await town.node('b', b, 'False');
    await shows('1 1 0 Accepted RoomLeft');
    await town.node('a', a, 'False');
    await shows('0 1 0 Accepted NoReadyNode');
    await town.pool('nodes', '198.51.100.0/30');
    await town.told('web', 'AddressDraining', a);
    await until('it counts addresses again', async () => {
      const { status } = await town.readPool('nodes');
      return status?.readyNodes === undefined && status?.availableIPv4 === 3;
    });
  });
}
