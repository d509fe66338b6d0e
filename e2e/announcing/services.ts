import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Enter, named, sideBySide } from './tenant.ts';

const app = (value: string) => ({ matchLabels: { app: value } });

export function describeServices(enter: Enter): void {
  describe('the Services of an advertisement', sideBySide, () => {
    // E27
    test('are those of its pools that it selects, as they are labelled now', async () => {
      await using tenant = await enter();
      await tenant.pool({ ground: tenant.name });
      await tenant.service({ labels: { app: 'web' } });
      const pools = {
        ipAddressPools: [],
        ipAddressPoolSelectors: [{ matchLabels: { ground: 'other' } }],
      };
      await tenant.advertise({ ...pools, serviceSelectors: [app('web')] });
      await tenant.staysSilent();
      const own = [{ matchLabels: { ground: tenant.name } }];
      await tenant.advertise({
        ipAddressPools: [],
        ipAddressPoolSelectors: own,
        serviceSelectors: [app('web')],
      });
      await tenant.holder();
      await tenant.relabel({ app: 'other' });
      await tenant.silent();
      await tenant.relabel({ app: 'web' });
      await tenant.holder();
    });

    // E28
    test('have one holder where several advertisements select them for different nodes', async () => {
      await using tenant = await enter();
      const [one, two] = tenant.nodes;
      assert.ok(one !== undefined && two !== undefined);
      await tenant.pool();
      await tenant.service({ labels: { app: 'web' } });
      for (const host of [one, two]) {
        const spec = { serviceSelectors: [app('web')], nodeSelectors: [named(host)] };
        await tenant.advertise(spec, `${tenant.name}-${host.name}`);
      }
      const holder = await tenant.holder();
      assert.ok(holder === one || holder === two, holder.name);
      await tenant.staysWith(holder);
    });

    // E29
    test('are announced by nobody where one advertisement has the node and the other the Service', async () => {
      await using tenant = await enter();
      await tenant.pool();
      await tenant.service({ labels: { app: 'web' } });
      await tenant.advertise({ serviceSelectors: [app('other')] }, `${tenant.name}-nodes`);
      const ghost = { matchLabels: { 'kubernetes.io/hostname': 'ghost' } };
      const spec = { serviceSelectors: [app('web')], nodeSelectors: [ghost] };
      await tenant.advertise(spec, `${tenant.name}-services`);
      await tenant.staysSilent();
    });

    // E30
    test('are those that any of its selectors matches', async () => {
      await using tenant = await enter();
      const [first, second] = tenant.addresses;
      await tenant.pool();
      await tenant.service({ labels: { app: 'web' } });
      await tenant.service({ labels: { app: 'none' } }, `${tenant.name}-none`, second);
      await tenant.advertise({ serviceSelectors: [app('mail'), app('web')] });
      await tenant.holder(first);
      await tenant.staysSilent(second);
      await tenant.relabel({ app: 'mail' }, `${tenant.name}-none`);
      await tenant.holder(second);
    });
  });
}
