import { ipAddressPoolKind, l2AdvertisementKind } from '../../../crds/names.ts';
import { pathOf } from '../../../kube/kinds.ts';
import type { KubeObject } from '../../../kube/object.ts';
import type { Cluster } from '../cluster.ts';
import type { StepReport } from '../job.ts';
import { systemNamespace } from '../programs.ts';
import { kubectl, withoutKubectl } from './cluster-up.ts';

type Pool = KubeObject & {
  readonly spec: { readonly addresses: readonly string[]; readonly autoAssign?: boolean };
};

/** The CRDs are applied, then a pool with a range and a CIDR, and an advertisement of it. */
export async function declarePools(cluster: Cluster, report: StepReport): Promise<void> {
  await cluster.applyDefinitions();
  await cluster.applyFile('examples/pool.yaml');
  const at = { namespace: systemNamespace, name: 'lan' };
  const get = <T>(path: string): Promise<T> => cluster.api.call<T>({ method: 'GET', path });
  const pool = await get<Pool>(pathOf(ipAddressPoolKind, at));
  await get<KubeObject>(pathOf(l2AdvertisementKind, at));
  report.check(
    `examples/pool.yaml: the pool '${at.name}' has ${pool.spec.addresses.join(' and ')}`,
    pool.spec.addresses.length === 2,
  );
  report.check(
    'the schema fills in what was left out: autoAssign is true',
    pool.spec.autoAssign === true,
  );
  const garbage = await cluster.api
    .call({
      method: 'PATCH',
      path: pathOf(ipAddressPoolKind, at),
      contentType: 'application/merge-patch+json',
      body: { spec: { addresses: 7 } },
    })
    .then(() => 'accepted', String);
  report.check(
    'the API server refuses a pool whose `addresses` is the number 7',
    /addresses/.test(garbage),
    garbage,
  );
  const explained = await kubectl(cluster, ['explain', 'ipaddresspool.spec.addresses']);
  if (explained === undefined) report.measured(withoutKubectl);
  else {
    report.check('`kubectl explain` knows the fields', explained.includes('addresses'), explained);
  }
}
