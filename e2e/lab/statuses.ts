import { type L2Status, parseL2Status } from '../../crds/l2-status.ts';
import { defaultNamespace, serviceL2StatusKind } from '../../crds/names.ts';
import { pathOf } from '../../kube/kinds.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { Transport } from '../../kube/transport.ts';

/** What the speakers have written about who holds what, a status for each Service. */
export async function writtenStatuses(api: Transport): Promise<readonly L2Status[]> {
  const path = pathOf(serviceL2StatusKind, { namespace: defaultNamespace });
  type Page = { readonly items: readonly (KubeObject & { readonly status?: unknown })[] };
  const { items } = await api.call<Page>({ method: 'GET', path });
  return items.flatMap(({ status }) => parseL2Status(status) ?? []);
}
