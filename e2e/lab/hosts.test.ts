import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { type Hosts, openHosts } from './hosts.ts';
import { allRecords, removeDeadLabs } from './record.ts';
import { needsLab } from './requirements.ts';
import { until } from '../../daemon/testing/until.ts';

const sleeper = { name: 'sleeper', file: 'sleep', args: ['1000'] };

const namespacesOf = (lab: string): string[] =>
  (existsSync('/run/netns') ? readdirSync('/run/netns') : []).filter((name) =>
    name.startsWith(`mercurylb-${lab}-`),
  );
const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}/ns/net`);

describe('hosts', needsLab, () => {
  let hosts: Hosts;
  before(async () => {
    hosts = await openHosts({ nodes: 2 });
  });
  after(() => hosts[Symbol.asyncDispose]());

  const pings = async (): Promise<boolean> => {
    const [node] = hosts.nodes;
    const asked = ['-c', '1', '-w', '1', '-I', 'eth0', node?.address ?? ''];
    const { stdout } = await hosts.client.outcomeOf('arping', asked);
    return stdout.includes((node?.mac ?? '').toUpperCase());
  };

  test('every host hears every other one on the wire', async () => {
    assert.equal(await pings(), true);
  });

  test('a power cut takes processes and wire away, and nobody else sees a carrier event', async () => {
    const node = hosts.node('node-1');
    const { pid } = node.install(sleeper);
    node.cutPower();
    await until('the process is gone', () => !isAlive(pid));
    assert.equal(await pings(), false);
    for (const host of hosts.all) {
      const link = await host.run('ip', ['-o', 'link', 'show', 'eth0']);
      assert.match(link, /LOWER_UP/, host.name);
    }
    await node.restorePower();
    assert.equal(await pings(), true);
    assert.notEqual(node.running('sleeper').pid, pid);
    assert.deepEqual(node.crashes, []);
  });

  test('an installed program that ends by itself is noted as a crash', async () => {
    const node = hosts.node('node-2');
    await node.install({ name: 'quitter', file: 'sh', args: ['-c', 'exit 3'] }).exited;
    await until('the crash is noted', () => node.crashes.length > 0);
    assert.deepEqual(node.crashes, ['quitter on node-2 ended: with code 3']);
  });

  test('a node that does not exist is refused with the names of those that do', () => {
    assert.throws(() => hosts.node('node-9'), /no node 'node-9'; there are node-1, node-2/);
  });
});

test('a closed lab leaves no process, no namespace and no file behind', needsLab, async () => {
  const hosts = await openHosts({ nodes: 1, lab: `t${process.pid}closing` });
  const { pid } = hosts.control.install(sleeper);
  await hosts[Symbol.asyncDispose]();
  await hosts[Symbol.asyncDispose]();
  assert.equal(isAlive(pid), false);
  assert.deepEqual(namespacesOf(hosts.lab), []);
  assert.equal(existsSync(hosts.folder), false);
});

test(
  'what a killed lab left behind ends with it or is removed by the next one',
  needsLab,
  async () => {
    const lab = `t${process.pid}killed`;
    const script = `
    const { openHosts } = await import(${JSON.stringify(new URL('./hosts.ts', import.meta.url))});
    const hosts = await openHosts({ nodes: 1, lab: ${JSON.stringify(lab)} });
    const { pid } = hosts.control.install(${JSON.stringify(sleeper)});
    process.stdout.write(pid + '\\n');
    setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = await once(owner.stdout, 'data');
    const pid = Number(String(printed));
    await until('the program of the lab runs', () => isAlive(pid));
    await assert.rejects(
      openHosts({ nodes: 1, lab }),
      new RegExp(`process ${owner.pid}.*clean-lab`),
    );

    owner.kill('SIGKILL');
    await until('the program has ended with its lab', () => !isAlive(pid));
    assert.notDeepEqual(namespacesOf(lab), []);
    await until('the next lab removes it', () => removeDeadLabs().includes(lab));
    assert.deepEqual(namespacesOf(lab), []);
    assert.ok(!allRecords().some((record) => record.lab === lab));
  },
);

test('a lab is removed also when the signal that ends it hits the removal', needsLab, async () => {
  const lab = `t${process.pid}ended`;
  const folder = mkdtempSync(join(tmpdir(), 'lab-'));
  const script = `
    const { openHosts } = await import(${JSON.stringify(new URL('./hosts.ts', import.meta.url))});
    process.on('SIGTERM', () => process.exit(143));
    await openHosts({ nodes: 1, lab: ${JSON.stringify(lab)} });
    process.stdout.write('open');
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...env, PATH: `${folder}:${env['PATH']}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const complaints = text(owner.stderr);
  await once(owner.stdout, 'data');
  // timeout(1) and make send it to the whole group: the first command of the removal ends by it.
  const endsOnce = '#!/bin/sh\nrm "$0" && kill -TERM $$\n';
  writeFileSync(join(folder, 'setsid'), endsOnce, { mode: 0o755 });
  owner.kill('SIGTERM');
  assert.equal(await complaints, '');
  assert.deepEqual(namespacesOf(lab), []);
  assert.equal(existsSync(join(folder, 'setsid')), false);
  rmSync(folder, { recursive: true });
});
