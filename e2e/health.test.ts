/**
 * Proves at a client of the LAN that a node whose kube-proxy is not well, or that does not reach its router, hands its
 * addresses over without a loss, and that nothing moves where all nodes have the same fault. `LAB_LENGTH=full` waits
 * until nodes are well again, too.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../daemon/clock.ts';
import { until } from '../daemon/testing/until.ts';
import type { Cluster } from './lab/cluster.ts';
import { hideGateway, openGateway, showGateway } from './lab/gateway.ts';
import { answerersOf, someHolderOf } from './lab/holders.ts';
import type { Host } from './lab/host.ts';
import { assertMovedOnce, assertUnnoticed, unnoticedMs } from './lab/judge-trial.ts';
import { inFull, isFull } from './lab/length.ts';
import { needsLab } from './lab/requirements.ts';
import { openServing } from './lab/serving.ts';
import { allAddresses, assigned } from './lab/steps/addresses.ts';
import { type Trial, trialOf } from './lab/trial.ts';

const healthz = fileURLToPath(new URL('./lab/programs/healthz.ts', import.meta.url));
const healthzPort = 10256;
/** The third failure comes after at most four seconds, the move at once; the rest is for a busy machine. */
const soonMs = 6_000;
/** Who was sick is well again half a minute after its last failure. */
const wellAgain = { withinMs: 45_000, everyMs: 500 };

describe('a node that is not well', needsLab, () => {
  let cluster: Cluster;
  let address: string;
  let nodes: readonly Host[];
  before(async () => {
    ({ cluster, address } = await openServing('embedded'));
    ({ nodes } = cluster.hosts);
    await openGateway(cluster.hosts);
    for (const host of nodes) await checkHealth(host);
    await Promise.all(nodes.map(cluster.memberAgain));
    for (const name of ['pinned', 'pinned-spec', 'choose-pool', 'ipv6']) {
      await cluster.applyFile(`examples/${name}.yaml`);
      await someHolderOf(cluster, await assigned(cluster, name));
    }
    await allWell();
  });
  after(() => cluster[Symbol.asyncDispose]());
  afterEach(() => assert.deepEqual(cluster.crashes(), []));

  /** Starts its kube-proxy's health endpoint, and its speaker anew with both checks. */
  async function checkHealth(host: Host): Promise<void> {
    setKubeProxy(host, 200);
    const args = [healthz, String(healthzPort), statusFile(host)];
    host.install({ name: 'healthz', file: process.execPath, args });
    const speaker = host.installed('speaker');
    await host.running('speaker').stop();
    const checks = [
      `--check-kube-proxy=http://127.0.0.1:${healthzPort}/healthz`,
      '--check-gateway',
    ];
    host.install({ ...speaker, args: [...speaker.args, ...checks] });
  }

  const statusFile = (host: Host): string => join(cluster.hosts.folder, `${host.name}.healthz`);
  const setKubeProxy = (host: Host, status: 200 | 503): void =>
    writeFileSync(statusFile(host), String(status));

  /** What the node's metrics say, by check: 1 for sick. */
  async function sickOf({ address: at }: Host): Promise<string> {
    const text = await cluster.client.curl(`http://${at}:7473/metrics`);
    const lines = text.split('\n').filter((line) => line.startsWith('mercurylb_sick{'));
    return lines
      .map((line) => `${/check="(\w+)"/.exec(line)?.[1]}=${line.at(-1)}`)
      .toSorted()
      .join(' ');
  }

  const isWell = async (host: Host): Promise<boolean> =>
    (await sickOf(host)) === 'Gateway=0 KubeProxy=0';
  const allWell = (): Promise<unknown> =>
    until(
      'all are well',
      async () => (await Promise.all(nodes.map(isWell))).every(Boolean),
      wellAgain,
    );

  const holder = (): Promise<Host> => someHolderOf(cluster, address);
  const during = (happen: () => Promise<unknown>): Promise<Trial> =>
    trialOf(cluster, address, happen);

  /** Who answers for each address, everybody who does. */
  async function placement(): Promise<ReadonlyMap<string, string>> {
    const all = Object.values(await allAddresses(cluster));
    const answerers = await Promise.all(all.map((one) => answerersOf(cluster, one)));
    return new Map(all.map((one, index) => [one, String(answerers[index])]));
  }

  /** What a client sees while the node falls sick; its addresses go to others, and nothing else moves. */
  async function assertRelieved(sick: Host, fall: () => unknown): Promise<void> {
    const before = await placement();
    const held = [...before.keys()].filter((one) => before.get(one) === sick.name);
    const hasLeft = async (one: string) => (await someHolderOf(cluster, one)) !== sick;
    const trial = await during(async () => {
      await fall();
      const isRid = async () => (await Promise.all(held.map(hasLeft))).every(Boolean);
      await until(`${sick.name} has handed over`, isRid, { withinMs: soonMs });
    });
    assertMovedOnce(trial, sick, cluster);
    assert.ok(trial.blackoutMs <= unnoticedMs, `${trial.blackoutMs} ms without an answer`);
    const names = nodes.map(({ name }) => name);
    for (const [one, now] of await placement()) {
      if (held.includes(one)) assert.ok(names.includes(now) && now !== sick.name, `${one}: ${now}`);
      else assert.equal(now, before.get(one), one);
    }
  }

  /** What a client sees meanwhile: nothing. */
  async function assertStays(happen: () => Promise<unknown>): Promise<void> {
    const before = await placement();
    const trial = await during(happen);
    assertUnnoticed(
      trial,
      nodes.find(({ name }) => name === before.get(address)) ?? assert.fail(),
      cluster,
    );
    assert.deepEqual(await placement(), before);
  }

  test('for lack of a well kube-proxy hands its addresses over, and takes nothing back', async () => {
    const sick = await holder();
    await assertRelieved(sick, () => setKubeProxy(sick, 503));
    await assertStays(async () => {
      setKubeProxy(sick, 200);
      await systemClock.sleep(3_000);
    });
  });

  test('that alone does not reach its router hands its addresses over', async () => {
    const sick = await holder();
    await assertRelieved(sick, () => hideGateway([sick]));
    await assertStays(() => showGateway(nodes));
  });

  test('moves nothing where the router is dead for all, nor when it is back', () =>
    assertStays(async () => {
      await hideGateway(nodes);
      const areSick = async () => {
        const said = await Promise.all(nodes.map(sickOf));
        return said.every((one) => one.startsWith('Gateway=1'));
      };
      await until('all are sick', areSick);
      await systemClock.sleep(2_000);
      await showGateway(nodes);
      await (isFull ? allWell() : systemClock.sleep(3_000));
    }));

  for (const family of ['IPv4', 'IPv6'] as const) {
    inFull(`that alone does not reach its ${family} router hands its addresses over`, async () => {
      await allWell();
      const sick = await holder();
      await assertRelieved(sick, () => hideGateway([sick], [family]));
      await showGateway(nodes);
    });
  }
});
