import { before, suite } from 'node:test';
import { definitions, manifestOf } from '../../crds/manifest.ts';
import { ipAddressPoolKind } from '../../crds/names.ts';
import { until } from '../../daemon/testing/until.ts';
import type { Access } from '../../kube/access.ts';
import { pathOf } from '../../kube/kinds.ts';
import { openTransport } from '../../kube/transport.ts';
import { create } from '../../kube/write.ts';
import { customResourceDefinition } from '../lab/manifests.ts';
import { describeFamilies } from './families.ts';
import { describeForeign } from './foreign.ts';
import { describeNodeAddresses } from './node-addresses.ts';
import { describeGround } from './ground.ts';
import { describePoolEdits } from './pool-edits.ts';
import { describePools } from './pools.ts';
import { describeRetry } from './retry.ts';
import { describeRestarts } from './restarts.ts';
import { describeSelection } from './selection.ts';
import { describeSharing } from './sharing.ts';
import { describeStatus } from './status.ts';
import { type Found, Town } from './town.ts';

/**
 * MetalLB's own tests of allocation, as far as a user can see what they are about, against the embedded server and the
 * real one. What we do otherwise on purpose is stated as we do it, and listed in docs/differences-from-metallb.md.
 *
 * Comments name what a test answers: by name the tests of MetalLB's allocator and controller, and by number its
 * end-to-end tests, counted in the order of their files below `e2etest/l2tests`: E1–E16 l2.go, E17 speaker_failover.go,
 * E18–E20 node_selector.go, E21–E26 interface_selector.go, E27–E30 service_selector.go, E31–E38 preferred_node.go,
 * E39–E58 assignment.go, E59 loadbalancer_class.go. The first half of E7–E16 is here; that the addresses answer is the
 * lab's matter.
 */
export function describeAllocation(name: string, open: () => Promise<Access>): void {
  suite(`allocation: ${name}`, () => {
    let access: Access;
    let towns = 0;
    before(async () => {
      access = await open();
      await bringKinds(access);
    });
    const found: Found = () => Town.found(access, `town-${towns++}`);
    describePools(found);
    describePoolEdits(found);
    describeSharing(found);
    describeFamilies(found);
    describeSelection(found);
    describeRestarts(found);
    describeStatus(found);
    describeNodeAddresses(found);
    describeGround(found);
    describeForeign(found);
    describeRetry(found);
  });
}

async function bringKinds(access: Access): Promise<void> {
  const api = openTransport(access);
  for (const definition of definitions)
    await create(api, customResourceDefinition, manifestOf(definition));
  // A new kind is served a moment after it was accepted.
  const path = pathOf(ipAddressPoolKind);
  await until('the kinds are served', () => api.call({ method: 'GET', path }));
  api.close();
}
