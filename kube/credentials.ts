import { readFile } from 'node:fs/promises';
import type { Clock } from '../daemon/clock.ts';
import type { Access } from './access.ts';

/** What a request carries to be let in, as the options of `https.request` call them. */
type Credentials = {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
};

/** Kubelets renew projected tokens well before they expire; client-go reads the file once a minute, too. */
const freshMs = 60_000;

/** The credentials of an `Access`: files are read again once a minute, and at once after `distrust`. */
export class CredentialStore {
  readonly #access: Access;
  readonly #clock: Pick<Clock, 'nowMs'>;
  #files: Promise<{ token?: string; ca?: string }> | undefined;
  #readAtMs = 0;

  constructor(access: Access, clock: Pick<Clock, 'nowMs'>) {
    this.#access = access;
    this.#clock = clock;
  }

  async get(): Promise<Credentials> {
    const { cert, key, headers } = this.#access;
    const { token, ca } = await this.#fresh();
    return {
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(await headers?.()),
      },
      tls: {
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
      },
    };
  }

  /** The server did not accept them, or we not the server: the files may have changed. */
  distrust(): void {
    this.#files = undefined;
  }

  #fresh(): Promise<{ token?: string; ca?: string }> {
    const nowMs = this.#clock.nowMs();
    if (this.#files !== undefined && nowMs - this.#readAtMs < freshMs) return this.#files;
    this.#readAtMs = nowMs;
    const files = readFiles(this.#access);
    this.#files = files;
    // A failed read is tried again by the next call; this call still sees the failure.
    files.catch(() => {
      if (this.#files === files) this.#files = undefined;
    });
    return files;
  }
}

async function readFiles(access: Access): Promise<{ token?: string; ca?: string }> {
  const [token, ca] = await Promise.all([
    access.tokenFile === undefined ? undefined : readFile(access.tokenFile, 'utf8'),
    access.caFile === undefined ? access.ca : readFile(access.caFile, 'utf8'),
  ]);
  return {
    ...(token === undefined ? {} : { token: token.trim() }),
    ...(ca === undefined ? {} : { ca }),
  };
}
