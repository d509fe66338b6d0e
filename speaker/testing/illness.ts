import type { Health } from '../core/health.ts';
import type { FakeSegment } from './fake-segment.ts';
import type { Machine } from './machine.ts';

/** What the checks of a machine say from now on, whether its speaker runs or not. */
export function setHealth(lan: FakeSegment, node: Machine, health: Health): void {
  node.health = health;
  lan.step(node, { kind: 'health', health });
}
