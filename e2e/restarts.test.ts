/**
 * Proves at a client of the LAN what becomes of an address while speakers are restarted, nodes leave the cluster and come
 * back, clocks jump and the CPU is short. `LAB_LENGTH=full` plays what takes minutes, too.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { systemClock } from '../daemon/clock.ts';
import { until } from '../daemon/testing/until.ts';
import { apiVersionOf, kinds, pathOf } from '../kube/kinds.ts';
import type { Event, Node } from '../kube/object.ts';
import { clockStep } from './faults/clock-shift-flags.ts';
import type { Cluster } from './lab/cluster.ts';
import { keepBusy, needsQuota, throttle } from './lab/cpu.ts';
import { openSteadyProbe } from './lab/failover.ts';
import { answerersOf, someHolderOf } from './lab/holders.ts';
import type { Host } from './lab/host.ts';
import { assertMovedOnce, assertUnnoticed, unnoticedMs } from './lab/judge-trial.ts';
import { inFull } from './lab/length.ts';
import { heal, partition } from './lab/links.ts';
import { apply } from './lab/manifests.ts';
import { writeStatus } from './lab/node-objects.ts';
import { needsLab } from './lab/requirements.ts';
import { openServing, wantedApi } from './lab/serving.ts';
import { type Trial, trialOf } from './lab/trial.ts';

const onStandIns = {
  skip:
    wantedApi() !== 'embedded' && 'the programs of the lab are started as they are; Pods are not',
};

describe('restarts', needsLab, () => {
  let cluster: Cluster;
  let address: string;
  before(async () => {
    ({ cluster, address } = await openServing());
  });
  after(() => cluster[Symbol.asyncDispose]());
  afterEach(() => assert.deepEqual(cluster.crashes(), []));

  const holder = (): Promise<Host> => someHolderOf(cluster, address);
  const answerers = (): Promise<string[]> => answerersOf(cluster, address);
  const others = (host: Host): readonly Host[] =>
    cluster.hosts.nodes.filter((each) => each !== host);
  const during = (happen: () => Promise<unknown>): Promise<Trial> =>
    trialOf(cluster, address, happen);
  const restart = async (host: Host): Promise<void> => {
    await host.running('speaker').stop();
    host.start('speaker');
    await cluster.memberAgain(host);
  };

  inFull(
    'of all speakers, one by one, move the address where its holder is restarted and nowhere else',
    async () => {
      for (const host of cluster.hosts.nodes) {
        const from = await holder();
        const trial = await during(() => restart(host));
        if (host === from) assertMovedOnce(trial, host, cluster);
        else assertUnnoticed(trial, from, cluster);
        assert.ok(trial.blackoutMs <= unnoticedMs, `${trial.blackoutMs} ms without an answer`);
      }
    },
  );

  test('of all speakers at once leave one holder, and new connections never fail', async () => {
    const trial = await during(async () => {
      await Promise.all(cluster.hosts.nodes.map((host) => restart(host)));
      await holder();
    });
    // What the clients know of the address goes on being right: its node serves it with and without a speaker.
    assert.deepEqual(trial.failed, []);
    assert.equal((await answerers()).length, 1);
  });

  inFull(
    'of a speaker without the API server go by what it knew, and it fails over as ever',
    async () => {
      const { control, nodes } = cluster.hosts;
      const from = await holder();
      await partition([control], nodes);
      const trial = await during(() => restart(from));
      assertMovedOnce(trial, from, cluster);
      const dead = others(from);
      await using probe = await openSteadyProbe(cluster, address);
      const blackout = await probe.blackoutOf(() => dead.forEach((host) => host.cutPower()));
      // Two at once: the first in rank is dead, too, and the second waits for it for a pulse interval.
      assert.ok(blackout.ms <= 1_500, `${blackout.ms} ms without an answer`);
      assert.deepEqual(await answerers(), [from.name]);
      await Promise.all(dead.map((host) => host.restorePower()));
      await heal(control);
      await until('it is told of what was held meanwhile', async () => {
        const told = (await assignments(cluster)).filter((one) => one.includes(address));
        const deaths = told.filter((one) => one.endsWith('HolderDied'));
        return deaths.length === 1 && deaths[0]?.includes(`from node "${from.name}"`);
      });
      await Promise.all(dead.map(cluster.memberAgain));
      assert.deepEqual(await answerers(), [from.name]);
    },
  );

  describe('a node', () => {
    test('that is taken out of the cluster hands over, and takes nothing when it is added again', async () => {
      const from = await holder();
      const left = await during(async () => {
        const node = await takeOut(cluster, from);
        await until('it has handed over', async () => (await holder()) !== from);
        await addAgain(cluster, from, node);
        // A plan is made some hundredths of a second after the cluster has changed.
        await systemClock.sleep(1_000);
      });
      assertMovedOnce(left, from, cluster);
      assert.ok(left.blackoutMs <= unnoticedMs, `${left.blackoutMs} ms without an answer`);
    });

    test('that holds nothing comes and goes without notice', async () => {
      const host = await holder();
      const [other] = others(host);
      assert.ok(other !== undefined);
      const trial = await during(async () => {
        const node = await takeOut(cluster, other);
        await systemClock.sleep(500);
        await addAgain(cluster, other, node);
        await systemClock.sleep(500);
      });
      assertUnnoticed(trial, host, cluster);
    });
  });

  test('clocks that jump by an hour, to either side, change nothing', onStandIns, async () => {
    const hourMs = 3_600_000;
    const stepped = cluster.hosts.nodes.map(async (host, index) => {
      const program = host.installed('speaker');
      const flags = clockStep(index % 2 === 0 ? hourMs : -hourMs, 'SIGUSR2');
      await host.running('speaker').stop();
      host.install({ ...program, args: [...flags, ...program.args] });
      await cluster.memberAgain(host);
    });
    await Promise.all(stepped);
    const from = await holder();
    const trial = await during(async () => {
      for (const host of cluster.hosts.nodes) host.running('speaker').signal('SIGUSR2');
      await systemClock.sleep(1_000);
    });
    assertUnnoticed(trial, from, cluster);
    await using probe = await openSteadyProbe(cluster, address);
    const blackout = await probe.blackoutOf(() => from.cutPower());
    assert.ok(blackout.ms <= 1_000, `${blackout.ms} ms without an answer`);
    const heir = await holder();
    const said = JSON.parse(heir.logOf('speaker', 1)) as { readonly time: string };
    const offMs = Math.abs(Date.parse(said.time) - systemClock.wall().getTime());
    assert.ok(Math.abs(offMs - hourMs) < 60_000, `the clock of ${heir.name} is off by ${offMs} ms`);
    await from.restorePower();
    await cluster.memberAgain(from);
    assert.deepEqual(await answerers(), [heir.name]);
  });

  describe('a CPU', () => {
    inFull('that four times as many want moves nothing', async () => {
      const host = await holder();
      const trial = await during(async () => {
        await using _busy = keepBusy(cluster.hosts.control, { times: 4, atMostMs: 20_000 });
        await systemClock.sleep(10_000);
      });
      assertUnnoticed(trial, host, cluster);
    });

    // It takes about as much as that: its holder has to wait in nearly every tenth of a second.
    inFull(
      'of which each speaker has a fiftieth moves nothing',
      async (t) => {
        const host = await holder();
        const trial = await during(async () => {
          using stack = new DisposableStack();
          const throttles = cluster.hosts.nodes.map((each) =>
            stack.use(throttle(each.running('speaker'), 0.02)),
          );
          await systemClock.sleep(2_000);
          t.diagnostic(
            `tenths of a second in which they waited: ${throttles.map(({ waits }) => waits()).join(', ')}`,
          );
        });
        assertUnnoticed(trial, host, cluster);
      },
      needsQuota(),
    );
  });
});

/** What was said of Services and who answers for them. */
async function assignments({ api }: Cluster): Promise<readonly string[]> {
  const path = pathOf(kinds.event, { namespace: 'default' });
  const { items } = await api.call<{ items: readonly Event[] }>({ method: 'GET', path });
  return items.flatMap(({ reason, message }) => (reason === 'nodeAssigned' ? (message ?? '') : []));
}

/** Deletes the Node, and answers it. */
async function takeOut({ api }: Cluster, { name }: Host): Promise<Node> {
  const path = pathOf(kinds.node, { name });
  const node = await api.call<Node>({ method: 'GET', path });
  await api.call({ method: 'DELETE', path });
  return node;
}

/** As its kubelet would register it. */
async function addAgain({ api }: Cluster, host: Host, { metadata, spec }: Node): Promise<void> {
  const { name, labels = {} } = metadata;
  const { podCIDRs } = spec ?? {};
  const own = podCIDRs === undefined ? {} : { podCIDR: podCIDRs[0], podCIDRs };
  const node = { apiVersion: apiVersionOf(kinds.node), kind: 'Node', metadata: { name, labels } };
  await apply(api, { ...node, spec: own });
  await writeStatus(api, host);
}
