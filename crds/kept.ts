import { group } from './names.ts';

/**
 * Kinds of MetalLB that are about BGP. Files that hold them apply as they are, and keep what they say for the way back;
 * nothing here acts on them, and kubectl says so every time one is written.
 */
type Kept = {
  readonly kind: string;
  readonly plural: string;
  /** The last one is stored. */
  readonly versions: readonly string[];
  readonly about: string;
};

const kept: readonly Kept[] = [
  {
    kind: 'BGPAdvertisement',
    plural: 'bgpadvertisements',
    versions: ['v1beta1'],
    about: 'How addresses are announced to BGP peers.',
  },
  {
    kind: 'BGPPeer',
    plural: 'bgppeers',
    versions: ['v1beta1', 'v1beta2'],
    about: 'A router to speak BGP with.',
  },
  {
    kind: 'BFDProfile',
    plural: 'bfdprofiles',
    versions: ['v1beta1'],
    about: 'How fast a BGP session notices that it is broken.',
  },
  {
    kind: 'Community',
    plural: 'communities',
    versions: ['v1beta1'],
    about: 'Names for BGP communities.',
  },
];

/** The CustomResourceDefinitions of the kinds that are kept and not acted upon. */
export const keptManifests = kept.map(({ kind, plural, versions, about }) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
    versions: versions.map((name) => ({
      name,
      served: true,
      storage: name === versions.at(-1),
      subresources: { status: {} },
      deprecated: true,
      deprecationWarning: `MercuryLB announces by ARP, not by BGP: this ${kind} is kept, and nothing acts on it`,
      schema: {
        openAPIV3Schema: {
          description: `${about} Kept for MetalLB; MercuryLB does not act on it.`,
          type: 'object',
          properties: {
            spec: open('As MetalLB documents it.'),
            status: open('As MetalLB left it.'),
          },
        },
      },
    })),
  },
}));

function open(description: string) {
  return { description, type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
}
