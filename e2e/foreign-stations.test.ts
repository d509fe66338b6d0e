/**
 * Proves at a client of the LAN that an address which a foreign machine has is left to it, and told; that it is answered
 * for when that machine is gone; that a takeover waits for no probe; and that what is in use is not given up.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import {
  annotationKey,
  defaultNamespace,
  ipAddressPoolKind,
  nodeNetworkKind,
} from '../crds/names.ts';
import { systemClock } from '../daemon/clock.ts';
import { until } from '../daemon/testing/until.ts';
import { apiVersionOf, kinds, pathOf } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { mergePatch } from '../kube/write.ts';
import { isIPv6 } from 'node:net';
import type { Cluster } from './lab/cluster.ts';
import { cutHolder, openSteadyProbe } from './lab/failover.ts';
import { answerersOf, holderOf, someHolderOf } from './lab/holders.ts';
import type { Host } from './lab/host.ts';
import { apply } from './lab/manifests.ts';
import { needsLab } from './lab/requirements.ts';
import { openIdle } from './lab/serving.ts';
import { assigned } from './lab/steps/addresses.ts';
import { openTap } from './lab/tap.ts';

/** Two rounds of probes, each at most 12.3 s after the one before, and what a busy machine adds. */
const freeWithinMs = 28_000;

const pin = annotationKey('loadBalancerIPs');

type Foreign = { address: string; mac: string; state: string };
type NodeNetwork = KubeObject & {
  readonly status?: { readonly links?: readonly { readonly foreign?: readonly Foreign[] }[] };
};

describe('a foreign machine', needsLab, () => {
  let cluster: Cluster;
  let stranger: Host;
  before(async () => {
    cluster = await openIdle();
    // No node, and not the client who judges.
    stranger = cluster.hosts.control;
    await cluster.applyFile('examples/pool.yaml');
    await cluster.applyFile('examples/ipv6.yaml');
  });
  after(() => cluster[Symbol.asyncDispose]());
  afterEach(() => assert.deepEqual(cluster.crashes(), []));

  const onStranger = (...words: readonly string[]) => stranger.run('ip', words);
  const bitsOf = (address: string) => (isIPv6(address) ? 128 : 32);
  const configure = (what: 'add' | 'delete', address: string) => {
    const dad = isIPv6(address) && what === 'add' ? ['nodad'] : [];
    return onStranger('address', what, `${address}/${bitsOf(address)}`, 'dev', 'eth0', ...dad);
  };

  /** A Service that asks for this. */
  async function request(name: string, annotations: Readonly<Record<string, string>>) {
    const address = annotations[pin] ?? '';
    await apply(cluster.api, {
      apiVersion: apiVersionOf(kinds.service),
      kind: 'Service',
      metadata: { name, namespace: 'default', annotations },
      spec: {
        type: 'LoadBalancer',
        ipFamilies: [isIPv6(address) ? 'IPv6' : 'IPv4'],
        selector: { app: 'web' },
        ports: [{ name: 'http', port: 80, targetPort: 8080 }],
      },
    });
  }

  /** What the nodes have written about the address, in words. */
  async function told(address: string): Promise<readonly string[]> {
    const path = pathOf(nodeNetworkKind, { namespace: defaultNamespace });
    const { items } = await cluster.api.call<{ items: readonly NodeNetwork[] }>({
      method: 'GET',
      path,
    });
    return items
      .flatMap(({ status }) => status?.links ?? [])
      .flatMap(({ foreign = [] }) => foreign)
      .filter((one) => one.address === address)
      .map(({ mac, state }) => `${state} ${mac}`);
  }

  const tellsOf = (address: string, what: string) =>
    until(`it is told that ${address} is ${what}`, async () =>
      (await told(address)).includes(`${what} ${stranger.mac}`),
    );

  /** Answers and announcements of the nodes for the address on the client's wire, while something happens. */
  function wordsOfNodes(address: string, happen: () => Promise<void>): Promise<string[]> {
    const from = cluster.hosts.nodes.map(({ mac }) => `ether src ${mac}`).join(' or ');
    const bytes = isIPv6(address) ? undefined : address.split('.').map(Number);
    const word = bytes?.reduce((value, byte) => value * 256 + byte, 0);
    const about =
      word === undefined
        ? `icmp6 and ip6[40] = 136 and ip6[60:4] = 0x${address.split(':').at(-1)}`
        : `arp and arp[14:4] = ${word}`;
    return cluster.client.capture(`(${from}) and ${about}`, happen);
  }

  const holding: readonly { readonly name: string; readonly address: string }[] = [
    { name: 'taken', address: '198.51.100.205' },
    { name: 'taken6', address: '2001:db8::2a5' },
  ];

  describe('that has an address before the Service', { concurrency: 2 }, () => {
    for (const { name, address } of holding) {
      test(`keeps ${address} and is told; when it is gone a node answers`, async (t) => {
        await configure('add', address);
        const words = await wordsOfNodes(address, async () => {
          await request(name, { [pin]: address });
          assert.equal(await assigned(cluster, name), address);
          await tellsOf(address, 'Quarantined');
          // The burst of a node that announced would be over by now, and another round of probes has gone out.
          await systemClock.sleep(13_000);
          assert.deepEqual(await answerersOf(cluster, address), [stranger.name]);
          assert.deepEqual(await told(address), [`Quarantined ${stranger.mac}`]);
        });
        assert.deepEqual(words, []);

        await configure('delete', address);
        const goneAtMs = systemClock.nowMs();
        const answered = () => holderOf(cluster, address);
        const { name: holder } = await until('a node answers', answered, {
          withinMs: freeWithinMs,
        });
        t.diagnostic(`answered ${Math.round(systemClock.nowMs() - goneAtMs)} ms after it was free`);
        assert.deepEqual(await answerersOf(cluster, address), [holder]);
        await until(
          'nothing foreign is told any more',
          async () => (await told(address)).length === 0,
        );
      });
    }
  });

  test('is left the address, and a Service that did not ask for it is answered for at another', async () => {
    const [taken, other] = ['198.51.100.245', '198.51.100.246'];
    await apply(cluster.api, {
      apiVersion: apiVersionOf(ipAddressPoolKind),
      kind: ipAddressPoolKind.kind,
      metadata: { name: 'half-taken', namespace: defaultNamespace },
      spec: { addresses: [`${taken}-${other}`], autoAssign: false },
    });
    await configure('add', taken);
    await request('evasive', { 'metallb.io/address-pool': 'half-taken' });
    const holder = await someHolderOf(cluster, other);
    assert.equal(await assigned(cluster, 'evasive'), other);
    assert.deepEqual(await answerersOf(cluster, other), [holder.name]);
    assert.deepEqual(await answerersOf(cluster, taken), [stranger.name]);
    await configure('delete', taken);
  });

  test('is asked for, three times, before the first use', async (t) => {
    const samplesMs: number[] = [];
    for (const last of [231, 232, 233, 234, 235]) {
      const address = `198.51.100.${last}`;
      let assignedAtMs = 0;
      const heard = await cluster.client.capture(
        `arp and (arp[24:4] = ${numberOf(address)} or arp[14:4] = ${numberOf(address)})`,
        async () => {
          const announced = cluster.client.seeFrames(`arp[14:4] = ${numberOf(address)}`, 1, 10_000);
          await systemClock.sleep(200);
          await request(`new-${last}`, { [pin]: address });
          await assigned(cluster, `new-${last}`);
          assignedAtMs = systemClock.nowMs();
          await announced;
          samplesMs.push(systemClock.nowMs() - assignedAtMs);
        },
      );
      const probes = heard.filter((line) => line.includes('tell 0.0.0.0'));
      const first = heard.findIndex((line) => line.includes(`tell ${address}`));
      assert.equal(probes.length, 3, heard.join('\n'));
      assert.ok(first >= 3, heard.join('\n'));
    }
    t.diagnostic(
      `announced ${samplesMs.map((ms) => ms.toFixed(0)).join(', ')} ms after assignment`,
    );
    const median = samplesMs.toSorted((a, b) => a - b)[2] ?? Infinity;
    assert.ok(median <= 1_000, `${median} ms`);
  });

  test('is no node whose kernel has the addresses of Services, as with kube-proxy in IPVS mode', async () => {
    const address = '198.51.100.207';
    const { nodes } = cluster.hosts;
    const onLoopback = (what: 'add' | 'delete') =>
      Promise.all(
        nodes.map((host) => host.run('ip', ['address', what, `${address}/32`, 'dev', 'lo'])),
      );
    await onLoopback('add');
    assert.equal((await answerersOf(cluster, address)).length, nodes.length);
    await request('ipvs', { [pin]: address });
    const taken = new RegExp(`"took over".*"address":"${address}"`);
    await until('a node has taken it', () => taken.test(cluster.logs(1_000)));
    assert.deepEqual(await told(address), []);
    await onLoopback('delete');
    assert.equal((await answerersOf(cluster, address)).length, 1);
  });

  test('slows no takeover: after a power cut nobody probes', async () => {
    await request('web', { [pin]: '198.51.100.200' });
    const address = await assigned(cluster, 'web');
    await someHolderOf(cluster, address);
    await using probe = await openSteadyProbe(cluster, address);
    const probes = await cluster.client.capture(
      `arp and arp[14:4] = 0 and arp[24:4] = ${numberOf(address)}`,
      async () => {
        for (let cut = 0; cut < 2; cut++) {
          const { blackoutMs } = await cutHolder(cluster, address, probe);
          assert.ok(blackoutMs <= 1_000, `${blackoutMs} ms without an answer`);
        }
      },
    );
    assert.deepEqual(probes, []);
  });

  test('slows no planned move: what others than the holder have reported, and not taken back, makes nobody probe', async () => {
    const address = '198.51.100.209';
    await request('planned', { [pin]: address });
    await assigned(cluster, 'planned');
    const holder = await someHolderOf(cluster, address);
    await reportFromAllBut(holder, address);
    // All speakers have planned with it by now: they do within some tens of milliseconds.
    await systemClock.sleep(1_000);
    const probes = await cluster.client.capture(
      `arp and arp[14:4] = 0 and arp[24:4] = ${numberOf(address)}`,
      async () => {
        await holder.running('speaker').stop();
        assert.notEqual((await someHolderOf(cluster, address)).name, holder.name);
      },
    );
    assert.deepEqual(probes, []);
    holder.start('speaker');
    await cluster.memberAgain(holder);
  });

  /** A report that their speakers do not know of, and so do not take back. */
  async function reportFromAllBut(holder: Host, address: string): Promise<void> {
    const path = pathOf(nodeNetworkKind, { namespace: defaultNamespace });
    const { items } = await cluster.api.call<{ items: readonly NodeNetwork[] }>({
      method: 'GET',
      path,
    });
    const since = '2026-01-01T00:00:00Z';
    const foreign = [{ address, mac: stranger.mac, since, state: 'Quarantined' }];
    const target = {
      kind: nodeNetworkKind,
      namespace: defaultNamespace,
      subresource: 'status',
    } as const;
    for (const { metadata, status } of items.filter(
      ({ metadata: { name } }) => name !== holder.name,
    )) {
      const links = status?.links?.map((link) => ({ ...link, foreign }));
      await mergePatch(cluster.api, { ...target, name: metadata.name }, { status: { links } });
    }
    await tellsOf(address, 'Quarantined');
  }

  test('that takes an address in use is told, and the Service goes on', async () => {
    const address = '198.51.100.206';
    await request('contested', { [pin]: address });
    await assigned(cluster, 'contested');
    const holder = await someHolderOf(cluster, address);
    await using tap = await openTap(cluster, address);
    await configure('add', address);
    await stranger.run('arping', ['-q', '-U', '-c', '3', '-I', 'eth0', address]);
    await tellsOf(address, 'Contested');
    await configure('delete', address);
    assert.deepEqual(await answerersOf(cluster, address), [holder.name]);
    const hosts = new Set(tap.spells().map(({ host }) => host));
    assert.deepEqual([...hosts].toSorted(), [stranger.name, holder.name].toSorted());
    const metrics = await cluster.client.curl(`http://${holder.address}:7473/metrics`);
    assert.match(metrics, /^mercurylb_foreign_claims_total{link="eth0"} [1-9]/m);
  });
});

const numberOf = (address: string): number =>
  address.split('.').reduce((value, part) => value * 256 + Number(part), 0);
