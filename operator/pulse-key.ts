import type { Log } from '../daemon/log.ts';
import { kinds } from '../kube/kinds.ts';
import { ApiError, type Transport } from '../kube/transport.ts';
import { create } from '../kube/write.ts';

/** The Secret that every speaker has mounted, and the entry in it. */
export const pulseKeySecret = { name: 'mercurylb-pulse-key', entry: 'keys' } as const;

/** As many as the HMAC of a pulse uses. */
const keyBytes = 32;

type PulseKeyOptions = {
  readonly transport: Transport;
  readonly namespace: string;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly log: Log;
};

/**
 * Makes the Secret with the key that seals the speakers' pulses, where nobody has made it yet. It is never read here, so
 * that the operator needs no right to. Where it may not be made, somebody else has to: that is said, once.
 */
export async function providePulseKey(
  { transport, namespace, randomBytes, log }: PulseKeyOptions,
  signal?: AbortSignal,
): Promise<void> {
  const { name, entry } = pulseKeySecret;
  const key = Buffer.from(randomBytes(keyBytes)).toString('hex');
  const data = { [entry]: Buffer.from(`${key}\n`).toString('base64') };
  const metadata = { name, namespace };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data };
  try {
    await create(transport, kinds.secret, secret, signal);
    log.info('made the key of the pulses', { secret: `${namespace}/${name}` });
  } catch (error) {
    const code = error instanceof ApiError ? error.code : 0;
    if (code === 409) return;
    if (code !== 403) throw new Error('making the key of the pulses', { cause: error });
    log.warn('may not make the key of the pulses', {
      secret: `${namespace}/${name}`,
      remedy: `make the Secret with an entry "${entry}", or allow the operator to create Secrets`,
    });
  }
}
