import assert from 'node:assert/strict';
import { after, afterEach, before, describe, suite } from 'node:test';
import { systemClock } from '../../daemon/clock.ts';
import { preferenceHoldMs } from '../../speaker/core/timing.ts';
import type { Cluster } from '../lab/cluster.ts';
import { needsLab } from '../lab/requirements.ts';
import { describeBasics } from './basics.ts';
import { describeInterfaces } from './interfaces.ts';
import { describeNodes, describeSelectedNodes } from './nodes.ts';
import { describePreferences } from './preferences.ts';
import { describeServices } from './services.ts';
import { type Enter, sideBySide, Tenant } from './tenant.ts';

/**
 * MetalLB's own end-to-end tests of announcing, in the numbers of `e2e/allocation`, judged at a client of the lab. What we
 * do otherwise on purpose is stated as we do it, and listed in docs/differences-from-metallb.md: nothing moves back.
 * Their tests know no bound but a minute or two; here an address that moves is answered for all the while.
 */
export function describeAnnouncing(name: string, open: () => Promise<Cluster>): void {
  suite(`announcing: ${name}`, needsLab, () => {
    let cluster: Cluster;
    let ripeAtMs = Infinity;
    let tenants = 0;
    before(async () => {
      cluster = await open();
      ripeAtMs = systemClock.nowMs() + preferenceHoldMs;
    });
    after(() => cluster[Symbol.asyncDispose]());
    afterEach(() => assert.deepEqual(cluster.crashes(), []));
    const enter: Enter = async (family = 'IPv4') => {
      const first = 100 + 2 * tenants++;
      const network = family === 'IPv4' ? '198.51.100.' : '2001:db8::';
      const addresses = [`${network}${first}`, `${network}${first + 1}`] as const;
      return new Tenant(cluster, `tenant-${tenants}`, addresses, ripeAtMs);
    };
    describe('of tenants side by side', sideBySide, () => {
      describeBasics(enter);
      describeSelectedNodes(enter);
      describeServices(enter);
      describePreferences(enter);
      describeInterfaces(enter, () => cluster);
    });
    describeNodes(enter);
  });
}
