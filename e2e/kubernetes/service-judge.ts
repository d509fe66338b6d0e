import { once } from 'node:events';
import https from 'node:https';
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { systemClock as clock } from '../../daemon/clock.ts';
import type { Access } from '../../kube/access.ts';
import type { Service } from '../../kube/object.ts';

type Line = { readonly type: string; readonly object: Service & { readonly code?: number } };
type Seen = {
  readonly uid: string | undefined;
  readonly addresses: string;
  readonly sinceMs: number;
};

/**
 * Watches the status of every LoadBalancer on the API server, in the order in which it was written, and notes what must
 * never be: an address on two Services, and an address that a Service has no more. It shares no code with what it judges.
 */
export class ServiceJudge implements AsyncDisposable {
  readonly #access: Access;
  readonly #trusted: () => string;
  readonly #agent = new https.Agent({ keepAlive: false });
  readonly #seen = new Map<string, Seen>();
  readonly #holders = new Map<string, string>();
  readonly #stop = new AbortController();
  readonly #faults: string[] = [];
  #watching: Promise<void> | undefined;
  #version = '';
  #assigned = 0;
  #longestPendingMs = 0;
  #gaps = 0;

  /** `trusted` is asked for the authorities of the server whenever it connects: they may change. */
  static async open(access: Access, trusted = () => access.ca ?? ''): Promise<ServiceJudge> {
    const judge = new ServiceJudge(access, trusted);
    await judge.#list();
    judge.#watching = judge.#follow();
    return judge;
  }

  private constructor(access: Access, trusted: () => string) {
    this.#access = access;
    this.#trusted = trusted;
  }

  /** What must never be, and was. */
  get faults(): readonly string[] {
    return this.#faults;
  }

  /** How many times a Service without address was given one. */
  get assigned(): number {
    return this.#assigned;
  }

  /** How many times the history since the last event was gone, so that only its outcome could be judged. */
  get gaps(): number {
    return this.#gaps;
  }

  /** The longest that a Service was seen without an address, until it had one or was deleted, or until now. */
  get longestPendingMs(): number {
    const waiting = [...this.#seen.values()].filter(({ addresses }) => addresses === '');
    const longest = waiting.map(({ sinceMs }) => clock.nowMs() - sinceMs);
    return Math.max(this.#longestPendingMs, ...longest);
  }

  get pending(): readonly string[] {
    return [...this.#seen].filter(([, { addresses }]) => addresses === '').map(([key]) => key);
  }

  get size(): number {
    return this.#seen.size;
  }

  addressOf(key: string): string {
    return this.#seen.get(key)?.addresses ?? '';
  }

  /** Forgets how long Services waited so far. */
  forgetPending(): void {
    this.#longestPendingMs = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#agent.destroy();
    await this.#watching;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        if (this.#version === '') await this.#list();
        await this.#watch();
      } catch {
        // The server is away, or resets: from where we stand we go on, and nothing is missed.
      }
      await clock.sleep(50, signal).catch(() => {});
    }
  }

  async #list(): Promise<void> {
    const answer = await this.#get('/api/v1/services');
    let text = '';
    for await (const chunk of answer) text += String(chunk);
    const { items, metadata } = JSON.parse(text) as {
      readonly items: readonly Service[];
      readonly metadata: { readonly resourceVersion: string };
    };
    const listed = new Set(items.map(keyOf));
    for (const key of this.#seen.keys()) if (!listed.has(key)) this.#forget(key);
    // Who lost an address goes first: another may have it since.
    for (const each of items.toSorted((a, b) => addressesOf(a).length - addressesOf(b).length))
      this.#take(each);
    this.#version = metadata.resourceVersion;
  }

  async #watch(): Promise<void> {
    const from = `resourceVersion=${this.#version}&allowWatchBookmarks=true`;
    const answer = await this.#get(`/api/v1/services?watch=true&${from}`);
    if (answer.statusCode === 410) return this.#startAgain();
    if (answer.statusCode !== 200) throw new Error(`the watch was answered ${answer.statusCode}`);
    for await (const text of createInterface({ input: answer })) {
      const { type, object } = JSON.parse(text) as Line;
      if (type === 'ERROR') return this.#startAgain();
      if (type === 'DELETED') this.#forget(keyOf(object));
      else if (type !== 'BOOKMARK') this.#take(object);
      this.#version = object.metadata.resourceVersion ?? this.#version;
    }
  }

  #startAgain(): void {
    this.#gaps++;
    this.#version = '';
  }

  #take(service: Service): void {
    const key = keyOf(service);
    const { uid, resourceVersion } = service.metadata;
    if (this.#seen.get(key)?.uid !== uid || service.spec?.type !== 'LoadBalancer')
      this.#forget(key);
    if (service.spec?.type !== 'LoadBalancer') return;
    const before = this.#seen.get(key);
    const addresses = addressesOf(service);
    if (before === undefined || before.addresses !== addresses) {
      const sinceMs = clock.nowMs();
      this.#seen.set(key, { uid, addresses, sinceMs });
      if (before !== undefined) this.#changed(key, before, addresses, String(resourceVersion));
    }
    if (addresses === '') return;
    const holder = this.#holders.get(addresses);
    if (holder !== undefined && holder !== key)
      this.#faults.push(`${addresses} is on ${holder} and on ${key} at ${resourceVersion}`);
    this.#holders.set(addresses, key);
  }

  #changed(key: string, before: Seen, addresses: string, version: string): void {
    if (before.addresses === '') {
      this.#assigned++;
      this.#waited(before);
    } else {
      const now = addresses || 'nothing';
      this.#faults.push(`${key} had ${before.addresses} and has ${now} at ${version}`);
      if (this.#holders.get(before.addresses) === key) this.#holders.delete(before.addresses);
    }
  }

  #forget(key: string): void {
    const seen = this.#seen.get(key);
    if (seen === undefined) return;
    this.#seen.delete(key);
    if (seen.addresses === '') this.#waited(seen);
    else if (this.#holders.get(seen.addresses) === key) this.#holders.delete(seen.addresses);
  }

  #waited({ sinceMs }: Seen): void {
    this.#longestPendingMs = Math.max(this.#longestPendingMs, clock.nowMs() - sinceMs);
  }

  async #get(path: string): Promise<IncomingMessage> {
    const { server, cert, key } = this.#access;
    const { signal } = this.#stop;
    const tls = { agent: this.#agent, ca: this.#trusted(), cert, key };
    const request = https.get(`${server}${path}`, { ...tls, signal, timeout: 10_000 });
    // API servers send a bookmark once a minute at the least; while we write all the time, silence is an end.
    request.on('timeout', () => request.destroy(new Error('nothing came for 10 s')));
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    return answer;
  }
}

const keyOf = ({ metadata }: Service): string => `${metadata.namespace}/${metadata.name}`;

const addressesOf = ({ status }: Service): string =>
  (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip).join(' ');
