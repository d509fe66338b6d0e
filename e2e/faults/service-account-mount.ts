import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type ServiceAccountFiles = {
  readonly token: string;
  /** PEM: one certificate, or several of which any will do. */
  readonly ca: string;
};

/**
 * The folder that a kubelet mounts into a Pod for its service account, renewed the way a kubelet does it: the files are
 * links through `..data`, and that link is swapped, so that all change at once and nobody reads half a file.
 */
export class ServiceAccountMount {
  readonly path: string;
  #files: ServiceAccountFiles;
  #generation = 0;

  constructor(path: string, files: ServiceAccountFiles) {
    this.path = path;
    this.#files = files;
    mkdirSync(path, { recursive: true });
    this.renew({});
    for (const name of ['token', 'ca.crt']) symlinkSync(join('..data', name), join(path, name));
  }

  renew(changed: Partial<ServiceAccountFiles>): void {
    this.#files = { ...this.#files, ...changed };
    const [before, now] = [`..${this.#generation}`, `..${++this.#generation}`];
    const folder = join(this.path, now);
    mkdirSync(folder);
    writeFileSync(join(folder, 'token'), this.#files.token);
    writeFileSync(join(folder, 'ca.crt'), this.#files.ca);
    const fresh = join(this.path, '..data_tmp');
    symlinkSync(now, fresh);
    renameSync(fresh, join(this.path, '..data'));
    rmSync(join(this.path, before), { recursive: true, force: true });
  }
}
