import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { l2AdvertisementKind } from '../../crds/names.ts';
import { until } from '../../daemon/testing/until.ts';
import { openSteadyProbe } from '../lab/failover.ts';
import type { Host } from '../lab/host.ts';
import { inFull, isFull } from '../lab/length.ts';
import { type Enter, endpointsOn, named, sideBySide, type Tenant } from './tenant.ts';

/** What a planned move may cost a client: the answer to a packet or two, on a machine that has other work. */
const plannedMs = 200;

/** Words about a node, and what takes each of them back. */
type Mark = {
  readonly what: string;
  readonly says: object;
  readonly unsays: object;
  readonly subresource?: 'status';
};

const condition = (status: 'True' | 'False') => ({
  type: 'NetworkUnavailable',
  status,
  reason: 'Test',
  message: 'a test says so',
  lastTransitionTime: '2026-01-01T00:00:00Z',
});
const exclude = 'node.kubernetes.io/exclude-from-external-load-balancers';

/** E5, E6, and one that MetalLB does not know. */
const marks: readonly Mark[] = [
  {
    what: 'whose network is unavailable',
    says: { status: { conditions: [condition('True')] } },
    unsays: { status: { conditions: [condition('False')] } },
    subresource: 'status',
  },
  {
    what: 'with the label that excludes it from load balancers',
    says: { metadata: { labels: { [exclude]: '' } } },
    unsays: { metadata: { labels: { [exclude]: null } } },
  },
  {
    what: 'that is out of service',
    says: {
      spec: { taints: [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoSchedule' }] },
    },
    unsays: { spec: { taints: null } },
  },
];

export function describeNodes(enter: Enter): void {
  describe('a node', () => {
    inFull('that died stands in no status any more when nothing is to be announced', async () => {
      await using tenant = await enter();
      const dead = tenant.nodes.at(-1);
      assert.ok(dead !== undefined);
      await tenant.pool();
      await tenant.advertise({ nodeSelectors: [named(dead)] });
      await tenant.service();
      await until('the status names it', () => isWritten(tenant, dead));
      dead.cutPower();
      try {
        await tenant.remove(l2AdvertisementKind);
        const isGone = async () => (await tenant.status()) === undefined;
        await until('the status is gone', isGone, { withinMs: 90_000 });
      } finally {
        await dead.restorePower();
        await tenant.cluster.memberAgain(dead);
      }
    });

    // What each of them says is a matter of the plan, which has its own tests: here one shows what comes of it.
    for (const { what, says, unsays, subresource } of isFull ? marks : marks.slice(0, 1)) {
      test(`${what} hands its addresses over, and takes none back`, async () => {
        await using tenant = await enter();
        await tenant.pool();
        await tenant.advertise();
        await tenant.service();
        const from = await tenant.holder();
        await using probe = await openSteadyProbe(tenant.cluster, tenant.address);
        const blackout = await probe.blackoutOf(async () => {
          await tenant.mark(from.name, says, unsays, subresource);
          await tenant.movedFrom(from);
        });
        assert.ok(blackout.ms <= plannedMs, `${blackout.ms} ms without an answer`);
        const heir = await tenant.holder();
        await tenant.mark(from.name, unsays, unsays, subresource);
        await tenant.staysWith(heir);
      });
    }

    test('that is cordoned keeps what it has', async () => {
      await using tenant = await enter();
      await tenant.pool();
      await tenant.advertise();
      await tenant.service();
      const holder = await tenant.holder();
      const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
      const cordon = { spec: { unschedulable: true, taints: [taint] } };
      await tenant.mark(holder.name, cordon, { spec: { unschedulable: null, taints: null } });
      await tenant.staysWith(holder);
    });

    test('that is drained hands a Local address over while its endpoints still serve', async () => {
      await using tenant = await enter();
      await tenant.pool();
      await tenant.advertise();
      await tenant.service({ policy: 'Local' });
      const from = await tenant.holder();
      const others = tenant.nodes.filter((host) => host !== from);
      const ending = { ready: false, serving: true, terminating: true };
      await using probe = await openSteadyProbe(tenant.cluster, tenant.address);
      const blackout = await probe.blackoutOf(async () => {
        await tenant.endpoints([...endpointsOn([from], ending), ...endpointsOn(others)]);
        await tenant.movedFrom(from);
      });
      assert.ok(blackout.ms <= plannedMs, `${blackout.ms} ms without an answer`);
      const heir = await tenant.holder();
      await tenant.endpoints(endpointsOn(tenant.nodes));
      await tenant.staysWith(heir);
    });

    // E17: who takes the speaker away from a node takes the address along.
    test('without its speaker is replaced, and the status says so', async () => {
      await using tenant = await enter();
      await tenant.pool();
      await tenant.advertise();
      await tenant.service();
      const from = await tenant.holder();
      await until('the status names the holder', async () => isWritten(tenant, from));
      await using probe = await openSteadyProbe(tenant.cluster, tenant.address);
      const blackout = await probe.blackoutOf(async () => {
        await from.running('speaker').stop();
        await tenant.movedFrom(from);
      });
      assert.ok(blackout.ms <= plannedMs, `${blackout.ms} ms without an answer`);
      const heir = await tenant.holder();
      await until('the status names the heir', async () => isWritten(tenant, heir));
      const { previousNode, moves } = (await tenant.status()) ?? {};
      assert.deepEqual([previousNode, moves], [from.name, 1]);
      from.start('speaker');
      await tenant.cluster.memberAgain(from);
      await tenant.staysWith(heir);
    });
  });
}

export function describeSelectedNodes(enter: Enter): void {
  describe('the nodes of an advertisement', sideBySide, () => {
    // E18
    test('are the only ones that announce, each in its turn', async () => {
      await using tenant = await enter();
      await tenant.pool();
      await tenant.service();
      for (const host of tenant.nodes) {
        await tenant.advertise({ nodeSelectors: [named(host)] });
        await tenant.heldBy(host);
      }
    });

    // E19
    test('with the Local policy are those with an endpoint', async () => {
      await using tenant = await enter();
      const [one, two] = tenant.nodes;
      assert.ok(one !== undefined && two !== undefined);
      await tenant.pool();
      await tenant.service({ policy: 'Local', on: [one] });
      await tenant.advertise({ nodeSelectors: [named(two)] }, `${tenant.name}-two`);
      await tenant.staysSilent();
      await tenant.advertise();
      await tenant.heldBy(one);
    });

    // E20
    test('are none where it selects none, and one as soon as one has the label', async () => {
      await using tenant = await enter();
      const [, , three] = tenant.nodes;
      assert.ok(three !== undefined);
      await tenant.pool();
      await tenant.service();
      const label = `example.com/${tenant.name}`;
      await tenant.advertise({ nodeSelectors: [{ matchLabels: { [label]: 'yes' } }] });
      await tenant.staysSilent();
      await tenant.label({ [label]: 'yes' }, three);
      await tenant.heldBy(three);
    });
  });
}

const isWritten = async (tenant: Tenant, { name }: Host): Promise<boolean> =>
  (await tenant.status())?.node === name;
