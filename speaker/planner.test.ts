import assert from 'node:assert/strict';
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readModel } from '../crds/model.ts';
import { openLog } from '../daemon/log.ts';
import { FakeClock } from '../daemon/testing/fake-clock.ts';
import { endpointSlice, node, service } from '../kube/testing/build.ts';
import { writePlanFile } from './plan-file.ts';
import type { Plan, World } from './plan.ts';
import { Planner } from './planner.ts';

const worldWith = (...addresses: string[]): World => ({
  services: addresses.map((ip, index) => service(`web-${index}`, { ingress: [{ ip }] })),
  nodes: [node('a')],
  standings: () => undefined,
  slicesOf: () => [endpointSlice('web', [{ addresses: [], nodeName: 'a' }])],
  model: readModel({
    pools: [],
    advertisements: [
      { metadata: { name: 'all', namespace: 'metallb-system' }, kind: 'L2Advertisement', spec: {} },
    ],
  }),
});

/** A planner whose world can be changed, and what it planned so far. */
function planning(options: { stateDir?: string; node?: string; takesMs?: number } = {}) {
  const clock = new FakeClock();
  const { takesMs = 0 } = options;
  const listed = Promise.withResolvers<void>();
  const ended = new AbortController();
  let world = worldWith();
  const plans: string[][] = [];
  const lines: string[] = [];
  const planner = new Planner({
    observer: { world: () => world, synced: () => listed.promise },
    settings: {
      node: options.node ?? 'a',
      loadBalancerClass: undefined,
      ignoreExcludeLabel: false,
    },
    stateDir: options.stateDir,
    namespace: 'metallb-system',
    onPlan: (plan: Plan) => plans.push([...plan.keys()]),
    clock: {
      nowMs: () => clock.nowMs() + plans.length * takesMs,
      wall: () => clock.wall(),
      sleep: (ms, signal) => clock.sleep(ms, signal),
    },
    log: openLog('warn', (line) => lines.push(line)),
  });
  const run = planner.run(ended.signal);
  run.catch(() => {});
  return {
    plans,
    lines,
    planner,
    list: async (first: World) => {
      world = first;
      listed.resolve();
      await clock.advance(20);
    },
    change: async (next: World) => {
      world = next;
      planner.change();
      await clock.advance(20);
    },
    wait: (ms: number) => clock.advance(ms),
    [Symbol.dispose]: () => ended.abort(),
  };
}

test('nothing is planned before everything has been listed', async () => {
  using started = planning();
  await started.wait(60_000);
  assert.deepEqual(started.plans, []);
  assert.equal(started.planner.hasPlan, false);
  await started.list(worldWith('198.51.100.1'));
  assert.deepEqual(started.plans, [['198.51.100.1']]);
});

test('a change of the world is a new plan, one that changes nothing is none', async () => {
  using started = planning();
  await started.list(worldWith('198.51.100.1'));
  await started.change(worldWith('198.51.100.1', '198.51.100.2'));
  await started.change(worldWith('198.51.100.1', '198.51.100.2'));
  assert.deepEqual(started.plans, [['198.51.100.1'], ['198.51.100.1', '198.51.100.2']]);
});

test('where planning takes long, changes are gathered for three times as long', async () => {
  using started = planning({ takesMs: 100 });
  await started.list(worldWith('198.51.100.1'));
  await started.change(worldWith('198.51.100.2'));
  await started.change(worldWith('198.51.100.3'));
  assert.deepEqual(started.plans, [['198.51.100.1']]);
  await started.wait(300);
  assert.deepEqual(started.plans, [['198.51.100.1'], ['198.51.100.3']]);
  await started.wait(1_000);
  await started.change(worldWith('198.51.100.4'));
  assert.deepEqual(
    started.plans.at(-1),
    ['198.51.100.4'],
    'after a rest, one change is taken at once',
  );
});

test('a start without an API server goes by the plan of the last life, until there is a new one', async () => {
  using state = mkdtempDisposableSync(join(tmpdir(), 'mercurylb-planner-'));
  const kept = { services: ['default/web'], candidates: [], links: undefined };
  writePlanFile(state.path, { plan: new Map([['198.51.100.9', kept]]), speakers: [] });
  using started = planning({ stateDir: state.path });
  await started.wait(2_900);
  assert.deepEqual(started.plans, []);
  await started.wait(200);
  assert.deepEqual(started.plans, [['198.51.100.9']]);
  await started.list(worldWith('198.51.100.1'));
  assert.deepEqual(started.plans, [['198.51.100.9'], ['198.51.100.1']]);
});

test('with an API server at hand the kept plan is not looked at', async () => {
  using state = mkdtempDisposableSync(join(tmpdir(), 'mercurylb-planner-'));
  const kept = { services: ['default/web'], candidates: [], links: undefined };
  writePlanFile(state.path, { plan: new Map([['198.51.100.9', kept]]), speakers: [] });
  using started = planning({ stateDir: state.path });
  await started.list(worldWith('198.51.100.1'));
  await started.wait(10_000);
  assert.deepEqual(started.plans, [['198.51.100.1']]);
});

test('a node that the cluster does not know is warned about once', async () => {
  using started = planning({ node: 'nobody' });
  await started.list(worldWith('198.51.100.1'));
  await started.change(worldWith('198.51.100.2'));
  assert.equal(started.lines.length, 1);
  assert.match(started.lines[0] ?? '', /there is no Node of this name.*"node":"nobody"/);
});
