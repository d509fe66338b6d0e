import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { Client } from './client.ts';
import { openConnections } from './connections.ts';
import { type Hosts, openHosts } from './hosts.ts';
import { openProbe } from './probe.ts';
import { needsLab } from './requirements.ts';
import { until } from '../../daemon/testing/until.ts';

const backend = fileURLToPath(new URL('./programs/backend.ts', import.meta.url));

describe('client', needsLab, () => {
  let hosts: Hosts;
  let client: Client;
  before(async () => {
    hosts = await openHosts({ nodes: 1 });
    client = new Client(hosts.client);
    const [node] = hosts.nodes;
    if (node === undefined) throw new Error('no node');
    node.install({
      name: 'backend',
      file: process.execPath,
      args: [backend, node.name, node.address, '8080'],
    });
    await until('the backend answers', () => client.curl('http://198.51.100.11:8080/'));
  });
  after(() => hosts[Symbol.asyncDispose]());

  test('the neighbour table names those who answered, and no others', async () => {
    await assert.rejects(client.curl('http://198.51.100.99/'), /curl/);
    const neighbours = await client.neighbours();
    assert.equal(neighbours.get('198.51.100.11'), '02:00:00:00:00:11');
    assert.equal(neighbours.has('198.51.100.99'), false);
  });

  test('every answer to an ARP question is told, and none for an address nobody has', async () => {
    assert.equal(await client.ask('198.51.100.11'), '02:00:00:00:00:11');
    assert.deepEqual([...new Set(await client.answers('198.51.100.11'))], ['02:00:00:00:00:11']);
    assert.equal(await client.ask('198.51.100.99'), undefined);
  });

  test('the blackout of a backend that stands still is as long as it stood still', async () => {
    await using probe = openProbe(hosts.client, '198.51.100.11', 8080);
    await probe.steady(200);
    const { signal } = hosts.node('node-1').running('backend');
    const blackout = await probe.blackoutOf(async () => {
      signal('SIGSTOP');
      await wait(150);
      signal('SIGCONT');
    });
    assert.ok(blackout.ms >= 140 && blackout.ms < 400, `${blackout.ms} ms`);
    assert.ok(blackout.answered > 100, `${blackout.answered} answers`);
  });

  test('connections that nobody answers are counted as failed', async () => {
    const served = await openConnections(hosts.client, '198.51.100.11', 8080);
    await until('some are served', () => served.finished.length > 10);
    const connections = await served.close();
    assert.deepEqual(
      connections.filter(({ failure }) => failure !== undefined),
      [],
    );
    const refused = await openConnections(hosts.client, '198.51.100.11', 8081);
    await until('some are refused', () => refused.finished.length > 10);
    assert.ok((await refused.close()).every(({ failure }) => failure?.includes('ECONNREFUSED')));
  });

  test('tcpdump sees what happened meanwhile', async () => {
    const frames = await client.capture('arp', async () => {
      await client.ask('198.51.100.98');
    });
    assert.ok(
      frames.some((frame) => frame.includes('who-has 198.51.100.98')),
      frames.join('\n'),
    );
  });
});
