import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Host } from '../lab/host.ts';
import { inFull } from '../lab/length.ts';
import { type Enter, named, sideBySide, type Tenant } from './tenant.ts';

const prefer = (weight: number, matchLabels: Readonly<Record<string, string>>) => ({
  weight,
  preference: { matchLabels },
});

/** A label of this tenant alone. */
const label = ({ name }: Tenant, what: string) => ({ [`example.com/${name}-${what}`]: 'yes' });

/** What the lot might have decided is tried with every node in the first place. */
const turns = [1, 2, 3] as const;

function nodesFrom({ nodes }: Tenant, turn: number): readonly [Host, Host, Host] {
  const [a, b, c] = [...nodes.slice(turn - 1), ...nodes.slice(0, turn - 1)];
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  return [a, b, c];
}

/**
 * A preference decides where an address goes that nobody holds, or whose holder may no longer have it. From who holds
 * it and may keep it, it goes to nobody but a strictly preferred node that has been there for half a minute.
 */
export function describePreferences(enter: Enter): void {
  describe('a preferred node', sideBySide, () => {
    for (const turn of turns) describeTurn(enter, turn);

    // E32
    test('is none where none has the label, or all have: somebody holds the address', async () => {
      await using tenant = await enter();
      await tenant.pool();
      await tenant.service();
      const all = { 'kubernetes.io/os': 'linux' };
      const preferredNodeSelectors = [prefer(100, label(tenant, 'none')), prefer(50, all)];
      await tenant.advertise({ preferredNodeSelectors });
      await tenant.staysWith(await tenant.holder());
    });

    // E33, E34
    inFull(
      'gets an address back when it may have it again and has been there for a while',
      async () => {
        await using tenant = await enter();
        const [best, other] = nodesFrom(tenant, 1);
        const fast = label(tenant, 'fast');
        const preferredNodeSelectors = [prefer(100, fast)];
        await tenant.pool();
        await tenant.service();
        await tenant.label(fast, best);
        await tenant.advertise({ preferredNodeSelectors, nodeSelectors: [named(other)] });
        await tenant.heldBy(other);
        await tenant.advertise({ preferredNodeSelectors });
        await tenant.heldByPreferred(best);
      },
    );

    // E35, E36
    test('has to be one of the nodes of the advertisement', async () => {
      await using tenant = await enter();
      await tenant.pool();
      await tenant.service();
      const [a, b, c] = nodesFrom(tenant, 1);
      const fast = label(tenant, 'fast');
      await tenant.label(fast, b, c);
      const preferredNodeSelectors = [prefer(100, fast)];
      await tenant.advertise({ preferredNodeSelectors, nodeSelectors: [named(a, b)] });
      await tenant.heldBy(b);
      await tenant.advertise({ preferredNodeSelectors, nodeSelectors: [named(a)] });
      await tenant.heldBy(a);
    });

    // E38
    test('is preferred for the Services of its advertisement alone', async () => {
      await using tenant = await enter();
      const [first, second] = tenant.addresses;
      await tenant.pool();
      await tenant.service({ labels: { app: 'web' } });
      await tenant.service({}, `${tenant.name}-plain`, second);
      await tenant.advertise({}, `${tenant.name}-all`);
      const holder = await tenant.holder(second);
      const others = tenant.nodes.filter((host) => host !== holder);
      const fast = label(tenant, 'fast');
      await tenant.label(fast, ...others);
      const serviceSelectors = [{ matchLabels: { app: 'web' } }];
      await tenant.advertise({ serviceSelectors, preferredNodeSelectors: [prefer(100, fast)] });
      await tenant.staysWith(holder, second);
      await tenant.holder(first);
    });
  });
}

function describeTurn(enter: Enter, turn: number): void {
  // E31, E34: a preference that goes takes nothing along.
  test(`is the one that takes an address up: node-${turn}`, async () => {
    await using tenant = await enter();
    const [best] = nodesFrom(tenant, turn);
    const fast = label(tenant, 'fast');
    await tenant.pool();
    await tenant.service();
    await tenant.label(fast, best);
    await tenant.advertise({ preferredNodeSelectors: [prefer(100, fast)] });
    await tenant.heldByPreferred(best);
    await tenant.advertise();
    await tenant.staysWith(best);
  });

  // E33: the way there.
  test(`is followed by the one that is preferred next: node-${turn}`, async () => {
    await using tenant = await enter();
    const [best, good, other] = nodesFrom(tenant, turn);
    const [first, second] = [label(tenant, 'first'), label(tenant, 'second')];
    await tenant.pool();
    await tenant.service();
    await tenant.label(first, best);
    await tenant.label(second, good);
    const preferredNodeSelectors = [prefer(90, first), prefer(80, second)];
    await tenant.advertise({ preferredNodeSelectors });
    await tenant.heldByPreferred(best);
    await tenant.advertise({ preferredNodeSelectors, nodeSelectors: [named(good, other)] });
    await tenant.heldBy(good);
  });

  // E37
  test(`has the weights of all advertisements that select it: node-${turn}`, async () => {
    await using tenant = await enter();
    const [heavy, light] = nodesFrom(tenant, turn);
    const [first, second] = [label(tenant, 'first'), label(tenant, 'second')];
    await tenant.pool();
    await tenant.label(first, heavy);
    await tenant.label(second, light);
    await tenant.advertise({ preferredNodeSelectors: [prefer(60, first)] });
    const preferredNodeSelectors = [prefer(50, first), prefer(90, second)];
    await tenant.advertise({ preferredNodeSelectors }, `${tenant.name}-more`);
    // Last, so that nobody holds it before both advertisements are known.
    await tenant.service();
    await tenant.heldByPreferred(heavy);
  });
}
