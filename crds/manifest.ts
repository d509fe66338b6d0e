import * as z from 'zod';
import type { Definition } from './definition.ts';
import { ipAddressPool } from './ip-address-pool.ts';
import { l2Advertisement } from './l2-advertisement.ts';
import { serviceL2Status } from './l2-status.ts';
import type { ApiKind } from './names.ts';
import { nodeNetwork } from './node-network.ts';
import { type Structural, structuralSchema } from './structural.ts';

export const definitions: readonly Definition[] = [
  ipAddressPool,
  l2Advertisement,
  serviceL2Status,
  nodeNetwork,
];

/** The CustomResourceDefinition of a kind, as it is applied. */
export function manifestOf({ kind, description, spec, status, columns }: Definition) {
  const schema = structuralSchema(z.object({ spec, status }));
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.plural}.${kind.group}` },
    spec: {
      group: kind.group,
      scope: kind.namespaced ? 'Namespaced' : 'Cluster',
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.kind.toLowerCase(),
      },
      versions: [
        {
          name: kind.version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: { description, ...withEnvelope(schema, kind) } },
        },
      ],
    },
  };
}

/** The fields that every Kubernetes object has around its own. */
function withEnvelope(schema: Structural, { group, version }: ApiKind): Structural {
  const { properties, ...rest } = schema;
  return {
    ...rest,
    properties: {
      apiVersion: { type: 'string', description: `The version of the API: ${group}/${version}.` },
      kind: { type: 'string', description: 'The kind of the object.' },
      metadata: { type: 'object' },
      ...(properties as object),
    },
  };
}
