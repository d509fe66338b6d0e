import { portsOfMachines } from './ip-address-pool.ts';
import { isRecord, type Problem } from './problem.ts';
import { parseSelector, type Selector } from './selector.ts';
import { problemOf, type Written } from './written.ts';

/** A pool of the nodes themselves: which of them, which of their addresses, and what they keep. */
export type PoolNodes = {
  readonly selector: Selector;
  readonly addressType: 'InternalIP' | 'ExternalIP';
  /** Ports that no Service of the pool may have. */
  readonly reservedPorts: ReadonlySet<number>;
};

/** Fields about ranges, which say nothing about nodes. */
const aboutRanges = ['addresses', 'exclude', 'reservations', 'pinning'] as const;

/** What a pool says of nodes; undefined where it says nothing, or where it cannot be told which nodes it means. */
export function readPoolNodes(
  about: Written,
  spec: Readonly<Record<string, unknown>>,
  problems: Problem[],
): PoolNodes | undefined {
  const { nodes, serviceAllocation } = spec;
  // What is no object at all, the schema has judged.
  if (!isRecord(nodes)) return undefined;
  const beside = aboutRanges
    .filter((field) => spec[field] !== undefined)
    .map((one) => `spec.${one}`);
  if (isRecord(serviceAllocation) && serviceAllocation['maxPerNamespace'] !== undefined)
    beside.push('spec.serviceAllocation.maxPerNamespace');
  for (const field of beside) {
    const detail = `${field} stands beside spec.nodes, of which it says nothing: take one of the two out`;
    problems.push(problemOf(about, 'InvalidField', detail));
  }
  const selector = parseSelector(nodes['selector'] ?? {}, 'spec.nodes.selector');
  if (typeof selector === 'string') problems.push(problemOf(about, 'InvalidSelector', selector));
  if (typeof selector === 'string' || spec['addresses'] !== undefined) return undefined;
  const ports = nodes['reservedPorts'];
  return {
    selector,
    addressType: nodes['addressType'] === 'ExternalIP' ? 'ExternalIP' : 'InternalIP',
    reservedPorts: new Set(
      Array.isArray(ports) ? ports.filter((port) => typeof port === 'number') : portsOfMachines,
    ),
  };
}
