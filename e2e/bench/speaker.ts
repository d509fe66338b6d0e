import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../daemon/testing/until.ts';
import type { Host, Running } from '../lab/host.ts';
import { speaker, systemNamespace } from '../lab/programs.ts';
import { bundleOf } from './bundle.ts';
import { type Cost, costOf, threadSeconds } from './cost.ts';
import type { Ground } from './ground.ts';
import { users } from './ground.ts';

export type SpeakerCost = Cost & {
  /** CPU seconds of the thread that talks to Kubernetes and plans, and of the one that answers. */
  readonly mainSeconds: number;
  readonly wireSeconds: number;
};

/** The speaker of the one node, for as long as it is wanted. */
export class Speaker implements AsyncDisposable {
  readonly #running: Running;

  private constructor(running: Running) {
    this.#running = running;
  }

  /** Resolves when it follows everything that it plans by, as the API server sees it. */
  static async on(ground: Ground): Promise<Speaker> {
    const { hosts, plane, audit } = ground;
    const [host] = hosts.nodes;
    if (host === undefined) throw new Error('the bench has no node');
    const mark = audit.mark();
    const program = bundleOf(
      speaker(host, {
        server: plane.server,
        keyPath: await credentials(ground),
        stateFolder: folderOf(host, hosts.folder),
        responder: 'packet',
      }),
    );
    const { args } = program;
    const proof = ['--token-file', tokenPath(hosts.folder), '--ca-file', caPath(hosts.folder)];
    const running = host.install({ ...program, args: [...args, ...proof] });
    await until('the speaker watches Services and EndpointSlices', () => {
      const requests = audit.since(mark, users.speaker);
      return requests.has('watch services') && requests.has('watch endpointslices');
    });
    return new Speaker(running);
  }

  cost(): SpeakerCost {
    const { pid } = this.#running;
    const [mainSeconds, ...others] = threadSeconds(pid);
    // Beside them there are only V8's helpers.
    const wireSeconds = Math.max(0, ...others);
    return { ...costOf(pid), mainSeconds: mainSeconds ?? 0, wireSeconds };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running.stop();
  }
}

const tokenPath = (folder: string): string => join(folder, 'speaker.token');
const caPath = (folder: string): string => join(folder, 'ca.crt');

function folderOf({ name }: Host, folder: string): string {
  const path = join(folder, `${name}.state`);
  mkdirSync(path, { recursive: true });
  return path;
}

/** Writes what the speaker proves itself with, and answers the path of its key for pulses. */
async function credentials({ hosts: { folder }, plane }: Ground): Promise<string> {
  const name = users.speaker.split(':').at(-1) ?? '';
  const { code, stdout, stderr } = await plane.kubectl([
    'create',
    'token',
    name,
    `--namespace=${systemNamespace}`,
  ]);
  if (code !== 0) throw new Error(`making a token for the speaker: ${stderr}`);
  writeFileSync(tokenPath(folder), stdout.trim(), { mode: 0o600 });
  writeFileSync(caPath(folder), plane.authority.cert);
  const keyPath = join(folder, 'pulse-key');
  writeFileSync(keyPath, randomBytes(32).toString('base64'), { mode: 0o600 });
  return keyPath;
}
