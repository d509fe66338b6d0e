import { definitions, manifestOf } from '../../crds/manifest.ts';
import type { Clock } from '../../daemon/clock.ts';
import { ApiServer } from '../apiserver/server.ts';
import { drawFrom } from '../faults/draw.ts';
import { json, system } from './objects.ts';
import { namespaces } from './schedule.ts';

const manifests = definitions.map((definition) => json(manifestOf(definition)));

/** An API server with two namespaces and our kinds; its choices are the same each time. */
export function openServer(clock: Clock): ApiServer {
  const draw = drawFrom(1);
  const random = () => draw(2 ** 31) / 2 ** 31;
  const api = new ApiServer({ clock, random, namespaces: [system, ...namespaces] });
  for (const manifest of manifests) api.create(manifest);
  return api;
}
