import fc from 'fast-check';

/** What somebody wants of a Service; a field left out is left to us. */
export type Wish = {
  readonly type?: 'ClusterIP';
  readonly policy?: 'PreferDualStack' | 'RequireDualStack';
  readonly pin?: string;
  readonly pool?: string;
  readonly count?: string;
  readonly sharing?: string;
  readonly partners?: string;
  readonly port?: number;
  readonly local?: boolean;
  readonly app?: string;
};

/** The spec of an IPAddressPool. */
export type PoolWish = {
  readonly addresses: readonly string[];
  readonly autoAssign?: boolean;
  readonly avoidBuggyIPs?: boolean;
  readonly exclude?: readonly string[];
  readonly reclaim?: readonly string[];
  readonly reservations?: readonly {
    readonly addresses: readonly string[];
    readonly namespace: string;
    readonly service: string;
  }[];
  readonly pinning?: 'Reserved';
  readonly serviceAllocation?: {
    readonly priority?: number;
    readonly namespaces?: readonly string[];
    readonly namespaceSelectors?: readonly { readonly matchLabels: Record<string, string> }[];
    readonly serviceSelectors?: readonly { readonly matchLabels: Record<string, string> }[];
    readonly maxPerNamespace?: number;
  };
};

/** What another machine has, by address: found before the first use, or claimed while a node answers for it. */
export type Seen = Readonly<Record<string, 'Quarantined' | 'Contested'>>;

/** What becomes of one write of a Service's status. */
export type Fate =
  /** Nothing befalls it: it is for those after it. */
  | 'none'
  /** The server refuses. */
  | 'refused'
  /** Somebody edits the Service first: a conflict. */
  | 'overtaken'
  /** It takes its time, there and back. */
  | 'slow'
  /** It is done, and the answer never comes. */
  | 'unanswered'
  /** The operator dies before it leaves, or after it was done and before the answer. */
  | 'dies before'
  | 'dies after';

export type Step = { readonly rush?: true } & (
  | { readonly kind: 'service'; readonly key: string; readonly wish: Wish }
  | { readonly kind: 'delete service'; readonly key: string }
  | { readonly kind: 'pool'; readonly name: string; readonly wish: PoolWish }
  | { readonly kind: 'delete pool'; readonly name: string }
  /** From now on a node sees this of other machines, and nothing else. */
  | { readonly kind: 'foreign'; readonly seen: Seen }
  | { readonly kind: 'namespace'; readonly name: string; readonly team: 'x' | 'y' }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'fate'; readonly fate: Fate }
  | { readonly kind: 'watches'; readonly do: 'lag' | 'catch up' | 'cut' | 'expire' }
  | { readonly kind: 'operator'; readonly do: 'start' | 'stop' | 'kill' }
  | { readonly kind: 'rest' }
);

export const namespaces = ['red', 'blue'] as const;
const keys = ['red/a', 'red/b', 'red/c', 'blue/a', 'blue/b'];
const key = fc.constantFrom(...keys);
const poolNames = ['p', 'q', 'r'];

/**
 * What one schedule is about. Where everything is possible at once, little ever meets: each schedule has some of the
 * features only, and those often.
 */
type Flavour = ReadonlySet<string>;
const features = [
  'type',
  'policy',
  'pin',
  'pool',
  'count',
  'sharing',
  'partners',
  'port',
  'local',
  'app',
  'limits',
  'exclude',
  'reclaim',
  'reservations',
  'allocation',
  'quota',
  'foreign',
  'fates',
  'watches',
  'operator',
] as const;
type Feature = (typeof features)[number];

const flavour: fc.Arbitrary<Flavour> = fc.subarray([...features]).map((some) => new Set(some));

/** Present in about every second object of a schedule that is about it. */
const maybeOf =
  (about: Flavour) =>
  <T>(feature: Feature, one: fc.Arbitrary<T>, freq = 1): fc.Arbitrary<T | undefined> =>
    about.has(feature) ? fc.option(one, { nil: undefined, freq }) : fc.constant(undefined);

const pins = [
  '198.51.100.1',
  '198.51.100.2',
  '198.51.100.1, 198.51.100.2',
  '198.51.100.2,2001:db8::2',
  '2001:db8::1',
  'nonsense',
];

const wishOf = (about: Flavour): fc.Arbitrary<Wish> => {
  const maybe = maybeOf(about);
  return fc
    .record({
      type: maybe('type', fc.constant('ClusterIP' as const), 3),
      policy: maybe(
        'policy',
        fc.constantFrom('PreferDualStack' as const, 'RequireDualStack' as const),
      ),
      pin: maybe('pin', fc.constantFrom(...pins)),
      pool: maybe('pool', fc.constantFrom(...poolNames), 2),
      count: maybe('count', fc.constantFrom('2', '2', '3', 'many')),
      sharing: maybe('sharing', fc.constantFrom('k', 'k', 'k', 'j'), 4),
      partners: maybe('partners', fc.constantFrom('*', 'red,blue')),
      port: maybe('port', fc.constantFrom(443, 53), 2),
      local: maybe('local', fc.constant(true)),
      app: maybe('app', fc.constant('web')),
    })
    .map(withoutUndefined);
};

/** Ranges with some of the addresses in them: reservations must lie in their pool. */
const ranges: readonly {
  readonly addresses: readonly string[];
  readonly some: readonly string[];
}[] = [
  { addresses: ['198.51.100.1-198.51.100.2'], some: ['198.51.100.1', '198.51.100.2'] },
  { addresses: ['198.51.100.2-198.51.100.4'], some: ['198.51.100.2', '198.51.100.3'] },
  {
    addresses: ['198.51.100.1/32', '2001:db8::1-2001:db8::2'],
    some: ['198.51.100.1', '2001:db8::1'],
  },
  { addresses: ['198.51.100.3/32', '2001:db8::2/128'], some: ['198.51.100.3', '2001:db8::2'] },
  { addresses: ['198.51.100.254-198.51.101.1'], some: ['198.51.101.0', '198.51.101.1'] },
];

const allocationOf = (about: Flavour) => {
  const maybe = maybeOf(about);
  return fc
    .record({
      priority: maybe('allocation', fc.integer({ min: 1, max: 2 })),
      namespaces: maybe('allocation', fc.constant(['red'])),
      namespaceSelectors: maybe('allocation', fc.constant([{ matchLabels: { team: 'x' } }])),
      serviceSelectors: maybe('app', fc.constant([{ matchLabels: { app: 'web' } }])),
      maxPerNamespace: maybe('quota', fc.integer({ min: 1, max: 2 }), 3),
    })
    .map(withoutUndefined)
    .map((allocation) => (Object.keys(allocation).length === 0 ? undefined : allocation));
};

const poolWishOf = (about: Flavour): fc.Arbitrary<PoolWish> => {
  const maybe = maybeOf(about);
  return fc.constantFrom(...ranges).chain(({ addresses, some }) =>
    fc
      .record({
        addresses: fc.constant(addresses),
        autoAssign: maybe('limits', fc.constant(false), 2),
        avoidBuggyIPs: maybe('limits', fc.constant(true)),
        exclude: maybe(
          'exclude',
          fc.constantFrom(['198.51.100.2'], ['198.51.100.1', '2001:db8::2']),
        ),
        reclaim: maybe('reclaim', fc.constantFrom(['198.51.100.0/24'], ['0.0.0.0/0', '::/0'])),
        reservations: maybe(
          'reservations',
          fc.tuple(fc.constantFrom(...some), key).map(([address, owner]) => {
            const [namespace = '', service = ''] = owner.split('/');
            return [{ addresses: [address], namespace, service }];
          }),
        ),
        pinning: maybe('limits', fc.constant('Reserved' as const), 3),
        serviceAllocation: allocationOf(about),
      })
      .map(withoutUndefined),
  );
};

export const fates: readonly Fate[] = [
  'refused',
  'overtaken',
  'slow',
  'unanswered',
  'dies before',
  'dies after',
];

const stepOf = (about: Flavour): fc.Arbitrary<Step> => {
  const service = fc.record({ kind: fc.constant('service' as const), key, wish: wishOf(about) });
  const gone = fc.record({ kind: fc.constant('delete service' as const), key });
  const name = fc.constantFrom(...poolNames);
  const pool = fc.record({ kind: fc.constant('pool' as const), name, wish: poolWishOf(about) });
  const poolGone = fc.record({ kind: fc.constant('delete pool' as const), name });
  const namespace = fc.record({
    kind: fc.constant('namespace' as const),
    name: fc.constantFrom(...namespaces),
    team: fc.constantFrom('x' as const, 'y' as const),
  });
  const seen = fc.dictionary(
    fc.constantFrom('198.51.100.1', '198.51.100.2', '198.51.100.3', '2001:db8::1'),
    fc.constantFrom('Quarantined' as const, 'Quarantined' as const, 'Contested' as const),
    { noNullPrototype: true },
  );
  const foreign = fc.record({ kind: fc.constant('foreign' as const), seen });
  const ms = fc.constantFrom(100, 1_000, 61_000);
  const pass = fc.record({ kind: fc.constant('pass' as const), ms });
  const fate = fc.record({ kind: fc.constant('fate' as const), fate: fc.constantFrom(...fates) });
  const watches = fc.record({
    kind: fc.constant('watches' as const),
    do: fc.constantFrom('lag' as const, 'catch up' as const, 'cut' as const, 'expire' as const),
  });
  const operator = fc.record({
    kind: fc.constant('operator' as const),
    do: fc.constantFrom('start' as const, 'stop' as const, 'kill' as const),
  });
  const often = (feature: Feature, weight: number): number => (about.has(feature) ? weight : 0);
  const what: fc.Arbitrary<Step> = fc.oneof(
    { weight: 14, arbitrary: service },
    { weight: 5, arbitrary: gone },
    { weight: 2, arbitrary: pool },
    { weight: 1, arbitrary: poolGone },
    { weight: often('allocation', 2), arbitrary: namespace },
    { weight: 1, arbitrary: pass },
    { weight: often('foreign', 5), arbitrary: foreign },
    { weight: often('fates', 6), arbitrary: fate },
    { weight: often('watches', 4), arbitrary: watches },
    { weight: often('operator', 4), arbitrary: operator },
    { weight: 2, arbitrary: fc.constant({ kind: 'rest' as const }) },
  );
  const rush = fc.option(fc.constant(true as const), { nil: undefined, freq: 1 });
  return fc
    .tuple(what, rush)
    .map(([one, rushed]): Step => (rushed === undefined ? one : { ...one, rush: rushed }));
};

/** A pool or two, and then whatever comes. */
export const schedule: fc.Arbitrary<readonly Step[]> = flavour.chain((about) =>
  fc
    .tuple(
      poolWishOf(about),
      fc.option(poolWishOf(about), { nil: undefined }),
      fc.array(stepOf(about), { minLength: 4, maxLength: 30 }),
    )
    .map(([p, q, rest]): readonly Step[] => [
      { kind: 'pool', name: 'p', wish: p },
      ...(q === undefined ? [] : [{ kind: 'pool' as const, name: 'q', wish: q }]),
      ...rest,
    ]),
);

function withoutUndefined<T extends object>(record: T): Defined<T> {
  const kept = Object.entries(record).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as Defined<T>;
}

/** Fields that may be undefined become fields that may be absent. */
type Defined<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & { [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined> };

export const describeStep = ({ kind, rush, ...rest }: Step): string =>
  `${kind} ${Object.values(rest)
    .map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
    .join(' ')}${rush === undefined ? '' : ' …'}`.replace(/ +/g, ' ');
