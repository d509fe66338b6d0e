import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** A value for every label a metric was declared with. */
export type Labels<L extends string> = Readonly<Record<L, string>>;

export type Declaration<L extends string> = {
  /** Whole, with the prefix of the product: `mercury_takeovers_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
};

type Of<L extends string> = [L] extends [never] ? [] : [labels: Labels<L>];

export type CounterMetric<L extends string> = { add(count: number, ...labels: Of<L>): void };
export type GaugeMetric<L extends string> = {
  set(value: number, ...labels: Of<L>): void;
  /** Forgets every combination of labels: what is not set again is not exposed. */
  clear(): void;
};
export type HistogramMetric<L extends string> = { observe(value: number, ...labels: Of<L>): void };

/** The metrics of one process, and their text for Prometheus. */
export class Metrics {
  readonly #registry = new Registry();

  /** With `process`, memory, CPU, event loop and open files of the process are exposed, too. */
  constructor({ process = true }: { process?: boolean } = {}) {
    if (process) collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async expose(): Promise<string> {
    return this.#registry.metrics();
  }

  counter<const L extends string = never>(declaration: Declaration<L>): CounterMetric<L> {
    const counter = new Counter<L>(this.#options(declaration));
    return { add: (count, ...[labels]) => counter.inc(labels ?? {}, count) };
  }

  gauge<const L extends string = never>(declaration: Declaration<L>): GaugeMetric<L> {
    const gauge = new Gauge<L>(this.#options(declaration));
    return {
      set: (value, ...[labels]) => gauge.set(labels ?? {}, value),
      clear: () => gauge.reset(),
    };
  }

  /** A gauge whose value is asked for when it is exposed. */
  gaugeOf(declaration: Declaration<never>, read: () => number): void {
    const gauge: Gauge = new Gauge({
      ...this.#options(declaration),
      collect: () => gauge.set(read()),
    });
  }

  /** The same with labels: what is exposed is what is answered then, and nothing of before. */
  gaugesOf<const L extends string>(
    declaration: Declaration<L>,
    read: () => Iterable<readonly [value: number, labels: Labels<L>]>,
  ): void {
    const gauge: Gauge<L> = new Gauge<L>({
      ...this.#options(declaration),
      collect: () => {
        gauge.reset();
        for (const [value, labels] of read()) gauge.set(labels, value);
      },
    });
  }

  /** `buckets` are upper bounds, in the unit of the name. */
  histogram<const L extends string = never>(
    declaration: Declaration<L> & { readonly buckets: readonly number[] },
  ): HistogramMetric<L> {
    const buckets = [...declaration.buckets];
    const histogram = new Histogram<L>({ ...this.#options(declaration), buckets });
    return { observe: (value, ...[labels]) => histogram.observe(labels ?? {}, value) };
  }

  #options<L extends string>({ name, help, labels = [] }: Declaration<L>) {
    return { name, help, labelNames: labels, registers: [this.#registry] };
  }
}
