import { isDeepStrictEqual } from 'node:util';
import { parseAddress } from '../../../net/address.ts';
import { kinds, pathOf } from '../../../kube/kinds.ts';
import type { Event, Service } from '../../../kube/object.ts';
import type { Cluster } from '../cluster.ts';
import type { StepReport } from '../job.ts';
import { until } from '../../../daemon/testing/until.ts';

/** Applied in this order; `*` stands for any free address of the pool. */
const requests: readonly { file: string; service: string; address: string; how: string }[] = [
  { file: 'web', service: 'web', address: '*', how: 'asks for nothing in particular' },
  {
    file: 'pinned',
    service: 'pinned',
    address: '198.51.100.210',
    how: 'metallb.io/loadBalancerIPs',
  },
  {
    file: 'pinned-old-prefix',
    service: 'pinned-old-prefix',
    address: '198.51.100.211',
    how: 'metallb.universe.tf/loadBalancerIPs',
  },
  {
    file: 'pinned-spec',
    service: 'pinned-spec',
    address: '198.51.100.212',
    how: 'spec.loadBalancerIP',
  },
  {
    file: 'choose-pool',
    service: 'choose-pool',
    address: '198.51.100.240',
    how: 'metallb.io/address-pool',
  },
  { file: 'ipv6', service: 'ipv6', address: '2001:db8::210', how: 'spec.ipFamilies' },
];

/** The operator gives addresses to Services; what it cannot give it explains; restarting it changes nothing. */
export async function handOutAddresses(
  cluster: Cluster,
  report: StepReport,
): Promise<Record<string, string>> {
  await cluster.startOperator();
  for (const { file } of requests) await cluster.applyFile(`examples/${file}.yaml`);
  const addresses: Record<string, string> = {};
  for (const { service, address, how } of requests) {
    const given = await assigned(cluster, service);
    addresses[service] = given;
    const wanted = address === '*' ? isInPool(given) : given === address;
    report.check(`${service} has ${given} (${how})`, wanted, `wanted ${address}`);
  }
  await cluster.applyFile('examples/impossible.yaml');
  const event = await until('an event explains the impossible request', () =>
    warning(cluster, 'impossible'),
  );
  report.say(`impossible: ${event.reason}: ${event.message}`);
  report.check(
    'the impossible request has an event that says why and what to do',
    event.message.includes('203.0.113.7'),
  );
  const unchanged = async (): Promise<boolean> =>
    isDeepStrictEqual(await allAddresses(cluster), addresses);
  report.check('no other Service changed', await unchanged());
  await restartOperator(cluster);
  report.check('restarting the operator changed no address', await unchanged());
  return addresses;
}

/** Shows that the new process works: it gives an address to a Service that the old one never saw. */
async function restartOperator(cluster: Cluster): Promise<void> {
  await cluster.restartOperator();
  const metadata = { name: 'after-restart', namespace: 'default' };
  const spec = { type: 'LoadBalancer', ports: [{ name: 'http', port: 80, targetPort: 8080 }] };
  const path = pathOf(kinds.service, { namespace: 'default' });
  const body = { apiVersion: 'v1', kind: 'Service', metadata, spec };
  await cluster.api.call({ method: 'POST', path, body });
  await assigned(cluster, metadata.name);
  await cluster.api.call({ method: 'DELETE', path: pathOf(kinds.service, metadata) });
  await until(
    'the last Service is gone',
    async () => !(metadata.name in (await allAddresses(cluster))),
  );
}

export function assigned(cluster: Cluster, name: string): Promise<string> {
  return until(`${name} has an address`, async () => (await allAddresses(cluster))[name], {
    withinMs: 20_000,
  });
}

/** Service to address, for those of the default namespace that have one. */
export async function allAddresses({ api }: Cluster): Promise<Record<string, string>> {
  const { items } = await api.call<{ items: readonly Service[] }>({
    method: 'GET',
    path: pathOf(kinds.service, { namespace: 'default' }),
  });
  return Object.fromEntries(
    items.flatMap(({ metadata, status }) => {
      const ip = status?.loadBalancer?.ingress?.[0]?.ip;
      return ip === undefined ? [] : [[metadata.name, ip]];
    }),
  );
}

async function warning({ api }: Cluster, name: string): Promise<Event | undefined> {
  const { items } = await api.call<{ items: readonly Event[] }>({
    method: 'GET',
    path: pathOf(kinds.event, { namespace: 'default' }),
  });
  return items.find(
    ({ type, involvedObject }) => type === 'Warning' && involvedObject.name === name,
  );
}

/** The range and the prefix of examples/pool.yaml. */
function isInPool(text: string): boolean {
  const last = Number((parseAddress(text)?.value ?? 0n) & 255n);
  return (
    text.startsWith('198.51.100.') && ((last >= 200 && last <= 219) || (last >= 224 && last <= 239))
  );
}
