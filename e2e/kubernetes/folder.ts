import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pid } from 'node:process';

/** In memory where the machine has a place for that: nothing in it outlives the test. */
const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** A folder for keys, logs and etcd's store. It goes when it is closed, and with this process. */
export function openFolder(parent: string = memory): Disposable & { readonly path: string } {
  removeOrphans(parent);
  const path = mkdtempSync(join(parent, `mercurylb-kubernetes-${processSpace()}-${pid}-`));
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  process.once('exit', remove);
  const close = (): void => {
    remove();
    process.off('exit', remove);
  };
  return { path, [Symbol.dispose]: close };
}

/**
 * Removes the folders of processes that were killed before they could do it. A folder goes only when its name says who
 * made it and that process is surely gone; containers may share the memory and not see each other's processes.
 */
function removeOrphans(parent: string): void {
  for (const name of readdirSync(parent)) {
    const [, space, owner] = /^mercurylb-kubernetes-(\d+)-(\d+)-\w{6}$/.exec(name) ?? [];
    if (space !== processSpace() || existsSync(`/proc/${owner}`)) continue;
    rmSync(join(parent, name), { recursive: true, force: true });
  }
}

/** The number of the namespace in which process ids mean what they mean here: `pid:[4026531836]`. */
function processSpace(): string {
  return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
}
