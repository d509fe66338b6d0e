import { type Log, silentLog } from '../../daemon/log.ts';
import { FakeClock } from '../../daemon/testing/fake-clock.ts';
import { ApiError, type Call } from '../../kube/transport.ts';
import { mostEvasions } from '../../operator/evasions.ts';
import { textAt } from '../apiserver/json.ts';
import type { ApiServer } from '../apiserver/server.ts';
import { ask } from './direct.ts';
import { type Facts, readFacts } from './facts.ts';
import { faultsAtRest, faultsOfWriting } from './laws.ts';
import { type ControllerClass, Operator } from './operator.ts';
import { openServer } from './server.ts';
import { isMishap, Mishap } from './mishap.ts';
import { type ClusterObject, json, nodeSeeing, patch, serviceOf, system } from './objects.ts';
import { type Fate, type PoolWish, type Seen, type Step, type Wish } from './schedule.ts';

/** Longer than the longest wait before a failed thing is tried again. */
const patienceMs = 70_000;
const slowMs = 300;

/** An API server, the operator with all that befalls it, and the judge of what it writes. */
export class Cluster {
  readonly #Controller: ControllerClass;
  readonly #api: ApiServer;
  readonly #clock: FakeClock;
  readonly #fates: Fate[] = [];
  readonly #faults: string[] = [];
  /** Everything that the operator may take for the present state. */
  #pasts: Facts[] = [];
  #operator: Operator | undefined;
  #underWay = 0;
  /** Services whose last write has failed. */
  readonly #failing = new Set<string>();
  #writes = 0;
  #reports = 0;

  private constructor(Controller: ControllerClass, api: ApiServer, clock: FakeClock) {
    this.#Controller = Controller;
    this.#api = api;
    this.#clock = clock;
  }

  static async open(Controller: ControllerClass): Promise<Cluster> {
    const clock = new FakeClock();
    const api = openServer(clock);
    const cluster = new Cluster(Controller, api, clock);
    cluster.#start();
    await clock.settle();
    return cluster;
  }

  /** What was wrong so far. */
  get faults(): readonly string[] {
    return this.#faults;
  }

  /** How many writes of a Service's status have been begun. */
  get writes(): number {
    return this.#writes;
  }

  async take(step: Step): Promise<void> {
    this.#note();
    await this.#do(step);
    this.#note();
    if (step.rush === true) return;
    await this.#clock.settle();
    if (this.#operator !== undefined) await this.#operator.check();
    if (this.#isCalm) this.#pasts = [];
  }

  /** Lifts everything that stands in the way, waits, and judges what has come of it. */
  async rest(): Promise<void> {
    this.#fates.length = 0;
    this.#operator?.transport.catchUp();
    this.#start();
    await this.#clock.advance(patienceMs);
    await this.#operator?.check();
    this.#pasts = [];
    this.#failing.clear();
    this.#faults.push(...faultsAtRest(readFacts(this.#api)));
  }

  /** At rest, the operator is replaced by another: nothing may change. */
  async restart(): Promise<void> {
    await this.#stop();
    const before = this.#shows();
    this.#start();
    await this.#clock.advance(patienceMs);
    const after = this.#shows();
    for (const [key, shown] of before)
      if (after.get(key) !== shown)
        this.#faults.push(`a restart changes ${key} from ${shown} to ${after.get(key)}`);
  }

  async close(): Promise<void> {
    this.#operator?.kill();
    await this.#clock.advance(slowMs);
    await this.#api.close();
  }

  /** Whether nothing is under way, and nothing new but to the operator. */
  get #isCalm(): boolean {
    const settled = this.#underWay === 0 && this.#failing.size === 0;
    return settled && this.#operator?.transport.isUpToDate === true;
  }

  #note(): void {
    this.#pasts.push(readFacts(this.#api));
  }

  async #do(step: Step): Promise<void> {
    switch (step.kind) {
      case 'service':
        return this.#wish(step.key, step.wish);
      case 'delete service':
        return this.#remove('v1', 'Service', step.key);
      case 'pool':
        return this.#pool(step.name, step.wish);
      case 'delete pool':
        return this.#remove('metallb.io/v1beta1', 'IPAddressPool', `${system}/${step.name}`);
      case 'foreign':
        return this.#see(step.seen);
      case 'namespace':
        ask(
          this.#api,
          patch(`/api/v1/namespaces/${step.name}`, { metadata: { labels: { team: step.team } } }),
        );
        return;
      case 'pass':
        return await this.#clock.advance(step.ms);
      case 'fate':
        this.#fates.push(step.fate);
        return;
      case 'watches':
        return this.#meddle(step.do);
      case 'operator':
        if (step.do === 'start') this.#start();
        else if (step.do === 'stop') await this.#stop();
        else this.#kill();
        return;
      case 'rest':
        return await this.rest();
    }
  }

  #meddle(how: 'lag' | 'catch up' | 'cut' | 'expire'): void {
    const transport = this.#operator?.transport;
    switch (how) {
      case 'lag':
        return transport?.lag();
      case 'catch up':
        return transport?.catchUp();
      case 'cut':
        return transport?.cut();
      case 'expire':
        this.#api.compact();
        return transport?.cut();
    }
  }

  #start(): void {
    this.#operator ??= new Operator(this.#Controller, {
      api: this.#api,
      onWrite: (call, go) => this.#write(call, go),
      clock: this.#clock,
      log: this.#log,
    });
  }

  async #stop(): Promise<void> {
    const operator = this.#operator;
    if (operator === undefined) return;
    this.#operator = undefined;
    const stopped = operator.stop();
    await this.#clock.advance(3 * slowMs);
    await stopped;
  }

  #kill(): void {
    this.#operator?.kill();
    this.#operator = undefined;
  }

  /** What a program throws by mistake is told by the queue, which tries again. */
  get #log(): Log {
    const warn: Log['warn'] = (message, { error, key } = {}) => {
      const expected = isMishap(error);
      if (message === 'work failed' && !expected)
        this.#faults.push(`the work on ${String(key)} fails: ${String(error)}`);
    };
    return { ...silentLog, warn, with: () => this.#log };
  }

  async #write<T>(call: Call, go: () => T): Promise<T> {
    this.#writes++;
    const [, namespace = '', name = ''] =
      /namespaces\/([^/]+)\/services\/([^/]+)\//.exec(call.path) ?? [];
    const key = `${namespace}/${name}`;
    const operator = this.#operator;
    const fate = this.#fates.shift();
    this.#underWay++;
    try {
      if (fate === 'refused') throw new ApiError(500, 'InternalError', 'refused on purpose');
      if (fate === 'slow') await this.#clock.sleep(slowMs);
      if (fate === 'overtaken') this.#touch(namespace, name);
      if (fate === 'dies before') this.#die(operator);
      const answer = this.#judged(key, go);
      if (fate === 'dies after') this.#die(operator);
      if (fate === 'slow') await this.#clock.sleep(slowMs);
      if (fate === 'unanswered') throw new Mishap('no answer, on purpose');
      this.#failing.delete(key);
      return answer;
    } catch (error) {
      this.#failing.add(key);
      throw error;
    } finally {
      this.#underWay--;
    }
  }

  #die(operator: Operator | undefined): never {
    if (operator === this.#operator) this.#kill();
    throw new Mishap('the operator dies, on purpose');
  }

  #judged<T>(key: string, go: () => T): T {
    const before = readFacts(this.#api).askers.get(key);
    const answer = go();
    const now = readFacts(this.#api);
    const after = now.askers.get(key);
    if (before !== undefined && after !== undefined) {
      const unsure = this.#failing.size > 0;
      const pasts = [...this.#pasts, now];
      this.#faults.push(...faultsOfWriting({ before, after, now, pasts, unsure }));
    }
    this.#note();
    return answer;
  }

  #touch(namespace: string, name: string): void {
    if (this.#api.get('v1', 'Service', { namespace, name }) === undefined) return;
    const labels = { touched: `${this.#writes}` };
    ask(
      this.#api,
      patch(`/api/v1/namespaces/${namespace}/services/${name}`, { metadata: { labels } }),
    );
    this.#note();
  }

  #wish(key: string, wish: Wish): void {
    const [namespace = '', name = ''] = key.split('/');
    const path = `/api/v1/namespaces/${namespace}/services`;
    const object = serviceOf(name, wish);
    const known = this.#api.get('v1', 'Service', { namespace, name });
    if (known === undefined) ask(this.#api, { method: 'POST', path, body: object });
    else ask(this.#api, patch(`${path}/${name}`, object));
  }

  #pool(name: string, wish: PoolWish): void {
    const metadata = { namespace: system, name };
    this.#put({ apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool', metadata, spec: wish });
  }

  /** What is there already keeps its identity, and its status where the object says nothing of one. */
  #put({ apiVersion, kind, metadata, ...rest }: ClusterObject): void {
    const known = this.#api.get(apiVersion, kind, metadata);
    const status = known === undefined ? {} : { status: known['status'] };
    this.#api.put(
      json({ apiVersion, kind, metadata: known?.metadata ?? metadata, ...status, ...rest }),
    );
  }

  /** What a node reports. More often would reach the bound of moves, and a restart forgets how many there were. */
  #see(seen: Seen): void {
    if (this.#reports++ >= mostEvasions) return;
    for (const object of nodeSeeing(seen)) this.#put(object);
  }

  #remove(apiVersion: string, kind: string, key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    if (this.#api.get(apiVersion, kind, { namespace, name }) !== undefined)
      this.#api.remove(apiVersion, kind, { namespace, name });
  }

  /** What the Services show, and in which version those are that have what they ask for. */
  #shows(): ReadonlyMap<string, string> {
    const { askers } = readFacts(this.#api);
    return new Map(
      this.#api.list('v1', 'Service').map(({ metadata }) => {
        const key = `${textAt(metadata, 'namespace')}/${metadata.name}`;
        const { shown = [], content, reason } = askers.get(key) ?? {};
        const version = content === 'False' ? reason : metadata.resourceVersion;
        return [key, `${shown.join(' and ') || 'nothing'} (${version})`];
      }),
    );
  }
}
