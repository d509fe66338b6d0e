import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { explain } from '../daemon/log.ts';
import type { Plan } from './plan.ts';
import type { Speaker } from './roster.ts';

/** The plan as it lies on disk, for a start while the API server is away. */
const fileShape = z.object({
  version: z.literal(1),
  speakers: z
    .array(
      z.object({
        node: z.string(),
        addresses: z.array(z.string()),
        state: z.enum(['Ready', 'NotReady', 'NodeLost']),
      }),
    )
    .default([]),
  addresses: z.array(
    z.tuple([
      z.string(),
      z.object({
        services: z.array(z.string()),
        candidates: z.array(z.object({ node: z.string(), score: z.number() })),
        links: z.array(z.string()).optional(),
        quarantinedBy: z.array(z.string()).optional(),
      }),
    ]),
  ),
});

const fileName = 'plan.json';

/** What is kept: the plan, and where speakers run. */
export type Kept = { readonly plan: Plan; readonly speakers: readonly Speaker[] };

/** The plan kept last; undefined where there is none or it cannot be read, with the reason. */
export function readPlanFile(
  stateDir: string,
): Kept | { readonly plan: undefined; readonly reason: string } {
  const path = join(stateDir, fileName);
  try {
    const { addresses, speakers } = fileShape.parse(JSON.parse(readFileSync(path, 'utf8')));
    const entries = addresses.map(
      ([address, { links, quarantinedBy, ...rest }]) =>
        [address, { ...rest, links, ...(quarantinedBy && { quarantinedBy }) }] as const,
    );
    return { plan: new Map(entries), speakers };
  } catch (error) {
    // A start without this file is a start that waits for the API server; nothing else is lost.
    return { plan: undefined, reason: explain(error) };
  }
}

/**
 * Replaces the plan on disk whole: a power cut leaves the old one or the new one. Returns why it could not be kept; a
 * full disk is no reason to stop announcing.
 */
export function writePlanFile(stateDir: string, { plan, speakers }: Kept): string | undefined {
  const path = join(stateDir, fileName);
  const next = `${path}.next`;
  try {
    writeFileSync(next, JSON.stringify({ version: 1, speakers, addresses: [...plan] }));
    renameSync(next, path);
    return undefined;
  } catch (error) {
    return explain(error);
  }
}
