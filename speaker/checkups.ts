import { type Health, worstOf } from './core/health.ts';
import { GatewayCheck } from './gateway-check.ts';
import type { LinkSession } from './link-session.ts';
import type { CheckName, Diagnosis, Fact } from './orders.ts';

/** What is checked: a link, and whoever goes by what is found. */
type Patient = Pick<LinkSession, 'link' | 'take'>;

type Chart = {
  readonly gateway: GatewayCheck | undefined;
  readonly told: Map<CheckName, Health>;
};

/**
 * Brings to each link what the checks say of it: that of kube-proxy, which the main thread makes for the whole node, and
 * that of the link's own routers. Belongs to the wire thread.
 */
export class Checkups {
  readonly #checksGateway: boolean;
  readonly #nowMs: () => number;
  readonly #report: (fact: Fact) => void;
  readonly #charts = new Map<Patient, Chart>();
  #kubeProxy: Diagnosis;

  constructor(options: {
    readonly checksKubeProxy: boolean;
    readonly checksGateway: boolean;
    readonly nowMs: () => number;
    readonly report: (fact: Fact) => void;
  }) {
    this.#checksGateway = options.checksGateway;
    this.#nowMs = options.nowMs;
    this.#report = options.report;
    const health = options.checksKubeProxy ? 'unsure' : 'well';
    this.#kubeProxy = { health, detail: undefined };
  }

  open(patient: Patient): void {
    const gateway = this.#checksGateway ? new GatewayCheck(patient.link) : undefined;
    const chart = { gateway, told: new Map() };
    this.#charts.set(patient, chart);
    gateway?.tick(patient.link, this.#nowMs());
    this.#tell(patient, chart);
  }

  /** What is to be polled for this link while it is open. */
  fdsOf(patient: Patient): readonly number[] {
    return this.#charts.get(patient)?.gateway?.fds ?? [];
  }

  close(patient: Patient): void {
    this.#charts.get(patient)?.gateway?.[Symbol.dispose]();
    this.#charts.delete(patient);
  }

  /** What the main thread has found out about this node's kube-proxy. */
  noteKubeProxy(diagnosis: Diagnosis): void {
    this.#kubeProxy = diagnosis;
    for (const [patient, chart] of this.#charts) this.#tell(patient, chart);
  }

  /** When `run` has somebody to ask. */
  dueAtMs(): number {
    let dueAtMs = Infinity;
    for (const { gateway } of this.#charts.values()) {
      if (gateway !== undefined) dueAtMs = Math.min(dueAtMs, gateway.dueAtMs());
    }
    return dueAtMs;
  }

  /** Reads what routers have answered, then asks those that are to be asked. */
  run(ready: readonly number[]): void {
    const nowMs = this.#nowMs();
    for (const [patient, chart] of this.#charts) {
      const { gateway } = chart;
      if (gateway === undefined) continue;
      if (gateway.fds.some((fd) => ready.includes(fd))) gateway.read(patient.link);
      if (nowMs < gateway.dueAtMs()) continue;
      gateway.tick(patient.link, nowMs);
      this.#tell(patient, chart);
    }
  }

  /** Tells the link how well it is, and the main thread which check says something new. */
  #tell(patient: Patient, { gateway, told }: Chart): void {
    const results = [
      { check: 'KubeProxy', ...this.#kubeProxy },
      { check: 'Gateway', health: gateway?.health ?? 'well', detail: gateway?.detail },
    ] as const;
    patient.take({ kind: 'health', health: worstOf(results.map(({ health }) => health)) });
    for (const result of results) {
      if (result.health === (told.get(result.check) ?? 'well')) continue;
      told.set(result.check, result.health);
      this.#report({ kind: 'health', link: patient.link.name, ...result });
    }
  }
}
