/**
 * The product does all that it does with the rights of its manifests: none is missing, and none is granted that nothing
 * uses. The API server's audit log is the judge.
 */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { l2StatusLabels, l2StatusName } from '../../crds/l2-status.ts';
import { defaultNamespace, serviceL2StatusKind } from '../../crds/names.ts';
import { until } from '../../daemon/testing/until.ts';
import { apiVersionOf, kinds, pathOf } from '../../kube/kinds.ts';
import type { Condition, KubeObject, Service } from '../../kube/object.ts';
import { create, mergePatch } from '../../kube/write.ts';
import { conditionType } from '../../operator/status.ts';
import { stopHolder } from '../lab/failover.ts';
import type { Cluster } from '../lab/cluster.ts';
import { run } from '../lab/command.ts';
import { someHolderOf } from '../lab/holders.ts';
import { auditPathOf } from '../lab/kubernetes-cluster.ts';
import { openServing } from '../lab/serving.ts';
import { findPrograms, needsPrograms } from './programs.ts';
import { formatRight, needs as takes, readDeeds, type Right, rightsIn } from './rights.ts';
import { fromRoot } from '../lab/programs.ts';

const needs = await needsPrograms('kube-scheduler', 'kube-proxy');

suite('the rights of deploy/', needs, () => {
  let cluster: Cluster;
  let address: string;
  let objects: readonly KubeObject[];
  before(async () => {
    ({ cluster, address } = await openServing('kubernetes'));
    const { kubectl } = await findPrograms('kubectl');
    const printed = await run(kubectl, ['kustomize', fromRoot('deploy')]);
    objects = parseAllDocuments(printed).map((document) => document.toJS());
  });
  after(() => cluster?.[Symbol.asyncDispose]());

  const deeds = () => readDeeds(auditPathOf(cluster.hosts.folder));
  const isUsed = (right: Right): boolean => deeds().some((deed) => takes(deed, right));

  /** Asks for an address that no pool has, or for none in particular. */
  const ask = (name: string, wanted: string | null) =>
    mergePatch(
      cluster.api,
      { kind: kinds.service, namespace: 'default', name },
      { metadata: { annotations: { 'metallb.io/loadBalancerIPs': wanted } } },
    );

  const conditionOf = async (name: string): Promise<Condition | undefined> => {
    const path = pathOf(kinds.service, { namespace: 'default', name });
    const { status } = await cluster.api.call<Service>({ method: 'GET', path });
    return status?.conditions?.find(({ type }) => type === conditionType);
  };

  /** What a holder of a Service wrote that died before the Service was deleted. */
  const leaveStatus = (name: string) => {
    const namespace = defaultNamespace;
    const labels = { [l2StatusLabels.service]: name, [l2StatusLabels.namespace]: 'default' };
    const metadata = { name: l2StatusName({ namespace: 'default', name }), namespace, labels };
    const { kind } = serviceL2StatusKind;
    const body = { apiVersion: apiVersionOf(serviceL2StatusKind), kind, metadata };
    return create(cluster.api, serviceL2StatusKind, body);
  };

  test('whatever happens to it, the product does it with its rights and needs all of them', async () => {
    await cluster.applyFile('examples/pinned.yaml');
    await someHolderOf(cluster, '198.51.100.210');
    await cluster.api.call({
      method: 'DELETE',
      path: pathOf(kinds.service, { namespace: 'default', name: 'pinned' }),
    });
    // What serves is read where it decides which nodes give their addresses.
    await cluster.applyFile('examples/node-addresses.yaml');
    // The same refusal twice: its event is counted on.
    for (const wanted of ['203.0.113.7', null, '203.0.113.7', null]) {
      await ask('web', wanted);
      const reason = wanted === null ? 'IPAllocated' : 'AddressOutsidePools';
      await until(`web says ${reason}`, async () => (await conditionOf('web'))?.reason === reason);
    }
    await leaveStatus('gone');
    await cluster.restartOperator();
    const unused = (): readonly string[] =>
      rightsIn(objects)
        .filter((right) => !isUsed(right))
        .map(formatRight);
    await until(
      'every right has been used',
      async () => {
        if (unused().length === 0) return true;
        // The address comes back to a node that had it: what it says of it is counted, too.
        await stopHolder(cluster, address, 80);
        throw new Error(`unused: ${unused().join(', ')}`);
      },
      { withinMs: 60_000 },
    );
    const refused = deeds().filter(({ code }) => code === 403 || code === 401);
    assert.deepEqual(refused.map(formatRight), []);
  });
});
