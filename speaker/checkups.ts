import { GatewayCheck } from './gateway-check.ts';
import { type Health, worstOf } from './core/health.ts';
import type { LinkSession } from './link-session.ts';
import type { CheckName, Fact, Finding } from './orders.ts';

/** What is known of one link: its session, the check of its routers, and what was told last. */
type Patient = {
  readonly session: LinkSession;
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
  readonly #patients = new Map<LinkSession, Patient>();
  #kubeProxy: Finding;

  constructor({
    checksKubeProxy,
    checksGateway,
    nowMs,
    report,
  }: {
    readonly checksKubeProxy: boolean;
    readonly checksGateway: boolean;
    readonly nowMs: () => number;
    readonly report: (fact: Fact) => void;
  }) {
    this.#checksGateway = checksGateway;
    this.#nowMs = nowMs;
    this.#report = report;
    this.#kubeProxy = { health: checksKubeProxy ? 'unsure' : 'well', detail: undefined };
  }

  /** What is to be polled for this link. */
  open(session: LinkSession): readonly number[] {
    const gateway = this.#checksGateway ? new GatewayCheck(session.link) : undefined;
    const patient = { session, gateway, told: new Map() };
    this.#patients.set(session, patient);
    gateway?.tick(session.link, this.#nowMs());
    this.#tell(patient);
    return gateway?.fds ?? [];
  }

  fdsOf(session: LinkSession): readonly number[] {
    return this.#patients.get(session)?.gateway?.fds ?? [];
  }

  close(session: LinkSession): void {
    this.#patients.get(session)?.gateway?.[Symbol.dispose]();
    this.#patients.delete(session);
  }

  /** What the main thread has found out about this node's kube-proxy. */
  noteKubeProxy(finding: Finding): void {
    this.#kubeProxy = finding;
    for (const patient of this.#patients.values()) this.#tell(patient);
  }

  dueAtMs(): number {
    const due = Array.from(
      this.#patients.values(),
      ({ gateway }) => gateway?.dueAtMs() ?? Infinity,
    );
    return Math.min(Infinity, ...due);
  }

  /** Reads what routers have answered, then asks those that are to be asked. */
  run(ready: ReadonlySet<number>): void {
    const nowMs = this.#nowMs();
    for (const patient of this.#patients.values()) {
      const { gateway, session } = patient;
      if (gateway === undefined) continue;
      if (gateway.fds.some((fd) => ready.has(fd))) gateway.read(session.link);
      if (nowMs < gateway.dueAtMs()) continue;
      gateway.tick(session.link, nowMs);
      this.#tell(patient);
    }
  }

  /** Tells the session how well it is, and the main thread which check has changed its mind. */
  #tell({ session, gateway, told }: Patient): void {
    const results = [
      { check: 'KubeProxy', ...this.#kubeProxy },
      { check: 'Gateway', health: gateway?.health ?? 'well', detail: gateway?.detail },
    ] as const;
    session.feel(worstOf(results.map(({ health }) => health)));
    for (const result of results) {
      if (result.health === (told.get(result.check) ?? 'well')) continue;
      told.set(result.check, result.health);
      this.#report({ kind: 'health', link: session.link.name, ...result });
    }
  }
}
