/** How a client wants objects shown. */
export type Rendering = 'object' | 'table' | 'metadata';

type Offer = { readonly type: string; readonly parameters: ReadonlyMap<string, string> };

/** The entries of an Accept header in the order given. */
export function readAccept(header: string): readonly Offer[] {
  return header
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [type = '', ...parameters] = entry.split(';').map((part) => part.trim());
      const pairs = parameters.map((parameter) => {
        const [key = '', value = ''] = parameter.split('=');
        return [key, value] as const;
      });
      return { type, parameters: new Map(pairs) };
    });
}

/** The first rendering that is known; undefined when the client takes nothing of what there is. */
export function renderingOf(header: string): Rendering | undefined {
  const offers = readAccept(header);
  if (offers.length === 0) return 'object';
  for (const { type, parameters } of offers) {
    if (type !== 'application/json' && type !== '*/*' && type !== 'application/*') continue;
    const as = parameters.get('as');
    if (as === undefined) return 'object';
    if (parameters.get('g') !== 'meta.k8s.io' || parameters.get('v') !== 'v1') continue;
    if (as === 'Table') return 'table';
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return 'metadata';
  }
  return undefined;
}
