import { ipAddressPoolKind, l2AdvertisementKind } from '../../crds/names.ts';
import { definitions, manifestOf } from '../../crds/manifest.ts';
import { systemClock as clock } from '../../daemon/clock.ts';
import { until } from '../../daemon/testing/until.ts';
import { apiVersionOf, kinds } from '../../kube/kinds.ts';
import type { Transport } from '../../kube/transport.ts';
import { create, mergePatch, remove } from '../../kube/write.ts';
import type { Draw } from '../faults/draw.ts';
import { customResourceDefinition } from '../lab/manifests.ts';

export const namespace = 'metallb-system';
const everyMs = 40;
const mostServices = 120;

/** Brings our kinds, the namespace, a pool to give from and one that is only edited. */
export async function prepare(api: Transport): Promise<void> {
  for (const definition of definitions)
    await create(api, customResourceDefinition, manifestOf(definition));
  await create(api, kinds.namespace, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  });
  // A new kind is served a moment after it was accepted.
  await until('the kinds are served', async () => {
    await put(api, 'lan', { addresses: ['198.51.100.0/24'] });
    return true;
  });
  await put(api, 'spare', { addresses: ['203.0.113.0/28'], autoAssign: false });
  await until('advertisements are served', async () => {
    const advertisement = { metadata: { name: 'all', namespace }, spec: {} };
    const apiVersion = apiVersionOf(l2AdvertisementKind);
    await create(api, l2AdvertisementKind, {
      apiVersion,
      kind: l2AdvertisementKind.kind,
      ...advertisement,
    });
    return true;
  });
}

function put(api: Transport, name: string, spec: object): Promise<unknown> {
  const apiVersion = apiVersionOf(ipAddressPoolKind);
  const object = { apiVersion, kind: 'IPAddressPool', metadata: { name, namespace }, spec };
  return create(api, ipAddressPoolKind, object);
}

export function createService(api: Transport, name: string): Promise<unknown> {
  return create(api, kinds.service, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ports: [{ port: 80 }] },
  } as const);
}

/**
 * Creates, edits and deletes Services and edits pools, without end and without ever asking that an address change. Ends
 * when the signal is aborted; answers how many writes it made.
 */
export async function keepWriting(
  api: Transport,
  draw: Draw,
  signal: AbortSignal,
): Promise<number> {
  const live: string[] = [];
  let writes = 0;
  for (; !signal.aborted; writes++) {
    await writeOnce(api, { live, draw, number: writes });
    await clock.sleep(everyMs, signal).catch(() => {});
  }
  return writes;
}

type Turn = { readonly live: string[]; readonly draw: Draw; readonly number: number };

async function writeOnce(api: Transport, { live, draw, number }: Turn): Promise<void> {
  const chance = draw(100);
  if (chance < 10) {
    const name = draw(2) === 0 ? 'lan' : 'spare';
    const spec =
      name === 'lan'
        ? { serviceAllocation: { priority: 1 + draw(50) } }
        : { addresses: [`203.0.113.0/${28 - draw(4)}`] };
    await mergePatch(api, { kind: ipAddressPoolKind, namespace, name }, { spec });
  } else if (live.length > 0 && (chance < 40 || live.length >= mostServices)) {
    const [name = ''] = live.splice(draw(live.length), 1);
    await remove(api, kinds.service, { metadata: { name, namespace: 'default' } });
  } else if (live.length > 0 && chance < 60) {
    const name = live[draw(live.length)] ?? '';
    const target = { kind: kinds.service, namespace: 'default', name };
    const labels = { edited: String(number) };
    await mergePatch(api, target, {
      metadata: { labels },
      spec: { ports: [{ port: 80 + draw(9) }] },
    });
  } else {
    const name = `s${number}`;
    await createService(api, name);
    live.push(name);
  }
}
