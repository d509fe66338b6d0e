import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** A value for every label a metric was declared with. */
type Labels<L extends string> = Readonly<Record<L, string>>;

type Declaration<L extends string> = {
  /** Whole, with the prefix of the product: `mercury_takeovers_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
};

type Of<L extends string> = [L] extends [never] ? [] : [labels: Labels<L>];

type CounterMetric<L extends string> = { add(count: number, ...labels: Of<L>): void };
type GaugeMetric<L extends string> = {
  set(value: number, ...labels: Of<L>): void;
  /** Forgets every combination of labels: what is not set again is not exposed. */
  clear(): void;
};
type HistogramMetric<L extends string> = { observe(value: number, ...labels: Of<L>): void };

/** How many values were in each bucket and no lower one, those beyond the last bucket at the end; and their sum. */
type Counted = { readonly counts: readonly number[]; readonly sum: number };

/** A declaration as it is exposed. */
type Declared = Declaration<string> & { readonly type: 'counter' | 'gauge' | 'histogram' };

type Read<L extends string> = () => Iterable<readonly [value: number, labels: Labels<L>]>;

/** The metrics of one process, and their text for Prometheus. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #declared: Declared[] = [];

  /** With `process`, memory, CPU, event loop and open files of the process are exposed, too. */
  constructor({ process = true }: { process?: boolean } = {}) {
    if (process) collectDefaultMetrics({ register: this.#registry });
  }

  /** What is exposed of this product, without the metrics of the process. */
  get declared(): readonly Declared[] {
    return this.#declared;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async expose(): Promise<string> {
    return this.#registry.metrics();
  }

  counter<const L extends string = never>(declaration: Declaration<L>): CounterMetric<L> {
    const counter = new Counter<L>(this.#options('counter', declaration));
    return { add: (count, ...[labels]) => counter.inc(labels ?? {}, count) };
  }

  gauge<const L extends string = never>(declaration: Declaration<L>): GaugeMetric<L> {
    const gauge = new Gauge<L>(this.#options('gauge', declaration));
    return {
      set: (value, ...[labels]) => gauge.set(labels ?? {}, value),
      clear: () => gauge.reset(),
    };
  }

  /** A gauge whose value is asked for when it is exposed. */
  gaugeOf(declaration: Declaration<never>, read: () => number): void {
    const gauge: Gauge = new Gauge({
      ...this.#options('gauge', declaration),
      collect: () => gauge.set(read()),
    });
  }

  /** The same with labels: what is exposed is what is answered then, and nothing of before. */
  gaugesOf<const L extends string>(declaration: Declaration<L>, read: Read<L>): void {
    const gauge: Gauge<L> = new Gauge<L>({
      ...this.#options('gauge', declaration),
      collect: () => {
        gauge.reset();
        for (const [value, labels] of read()) gauge.set(labels, value);
      },
    });
  }

  /** Counters that are counted elsewhere: what is answered when they are exposed is what there has been in all. */
  countersOf<const L extends string>(declaration: Declaration<L>, read: Read<L>): void {
    const counter: Counter<L> = new Counter<L>({
      ...this.#options('counter', declaration),
      collect: () => {
        counter.reset();
        for (const [value, labels] of read()) counter.inc(labels, value);
      },
    });
  }

  /** A histogram that is counted elsewhere; what is answered when it is exposed is what there has been in all. */
  histogramOf(
    declaration: Declaration<never> & { readonly buckets: readonly number[] },
    read: () => Counted,
  ): void {
    const buckets = [...declaration.buckets];
    const histogram = new Histogram({ ...this.#options('histogram', declaration), buckets });
    const get = async () => ({
      ...declaration,
      type: 'histogram',
      values: valuesOf({ name: declaration.name, buckets }, read()),
    });
    // The one is for text, the other for everything else.
    Object.assign(histogram, { get, getForPromString: get });
  }

  /** `buckets` are upper bounds, in the unit of the name. */
  histogram<const L extends string = never>(
    declaration: Declaration<L> & { readonly buckets: readonly number[] },
  ): HistogramMetric<L> {
    const buckets = [...declaration.buckets];
    const histogram = new Histogram<L>({ ...this.#options('histogram', declaration), buckets });
    return { observe: (value, ...[labels]) => histogram.observe(labels ?? {}, value) };
  }

  #options<L extends string>(type: Declared['type'], { name, help, labels = [] }: Declaration<L>) {
    this.#declared.push({ type, name, help, labels });
    return { name, help, labelNames: labels, registers: [this.#registry] };
  }
}

/** As Prometheus has it: every bucket counts those below it, too. */
function valuesOf(
  { name, buckets }: { readonly name: string; readonly buckets: readonly number[] },
  { counts, sum }: Counted,
) {
  let count = 0;
  const values = [...buckets, '+Inf'].map((le, index) => {
    count += counts[index] ?? 0;
    return { metricName: `${name}_bucket`, labels: { le }, value: count };
  });
  return [
    ...values,
    { metricName: `${name}_sum`, labels: {}, value: sum },
    { metricName: `${name}_count`, labels: {}, value: count },
  ];
}
