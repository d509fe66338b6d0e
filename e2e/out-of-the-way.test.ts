/** Proves with speakers and an operator as they run that a Service goes out of the way of a machine of the LAN, and is served then. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { defaultNamespace, nodeNetworkKind } from '../crds/names.ts';
import { parseNodeNetwork } from '../crds/node-network.ts';
import { systemClock } from '../daemon/clock.ts';
import { until } from '../daemon/testing/until.ts';
import { apiVersionOf, kinds, pathOf } from '../kube/kinds.ts';
import { formatAddress } from '../net/address.ts';
import type { Cluster } from './lab/cluster.ts';
import { answerersOf, someHolderOf } from './lab/holders.ts';
import { apply } from './lab/manifests.ts';
import { needsLab } from './lab/requirements.ts';
import { openIdle } from './lab/serving.ts';
import { assigned } from './lab/steps/addresses.ts';

describe('a Service that has not asked for its address', needsLab, () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await openIdle();
    await cluster.applyFile('examples/pool.yaml');
  });
  after(() => cluster[Symbol.asyncDispose]());

  const request = (name: string) =>
    apply(cluster.api, {
      apiVersion: apiVersionOf(kinds.service),
      kind: 'Service',
      metadata: { name, namespace: 'default' },
      spec: {
        type: 'LoadBalancer',
        selector: { app: 'web' },
        ports: [{ name: 'http', port: 80, targetPort: 8080 }],
      },
    });

  /** The addresses that some node says another machine has. */
  async function told(): Promise<readonly string[]> {
    const path = pathOf(nodeNetworkKind, { namespace: defaultNamespace });
    type List = { readonly items: readonly { readonly status?: unknown }[] };
    const { items } = await cluster.api.call<List>({ method: 'GET', path });
    return items
      .flatMap(({ status }) => parseNodeNetwork(status) ?? [])
      .flatMap(({ foreign }) => foreign.map(({ address }) => formatAddress(address)));
  }

  test('leaves it to the machine that has it, as often as need be, and the next Service does not meet that machine', async (t) => {
    await request('first');
    const lowest = await assigned(cluster, 'first');
    const after = (count: number) => lowest.replace(/\d+$/, (last) => String(Number(last) + count));
    // No node, and not the client who judges.
    const stranger = cluster.hosts.control;
    for (const count of [1, 2])
      await stranger.run('ip', ['address', 'add', `${after(count)}/32`, 'dev', 'eth0']);

    const fromMs = systemClock.nowMs();
    await request('web');
    await until('it has moved twice', async () => (await assigned(cluster, 'web')) === after(3));
    t.diagnostic(`there after ${(systemClock.nowMs() - fromMs).toFixed(0)} ms`);
    await someHolderOf(cluster, after(3));
    for (const count of [1, 2])
      assert.deepEqual(await answerersOf(cluster, after(count)), [stranger.name]);

    await until(
      'nobody asks for those addresses any more',
      async () => (await told()).length === 0,
    );
    await request('next');
    assert.equal(await assigned(cluster, 'next'), after(4));
    await someHolderOf(cluster, after(4));
    assert.deepEqual(cluster.crashes(), []);
  });
});
