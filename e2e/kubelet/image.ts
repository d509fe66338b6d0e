import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from '../lab/command.ts';
import { fromRoot } from '../lab/programs.ts';

/** What a container starts from. In both records: path in the container to path on this machine. */
export type Image = {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly user: number;
  readonly group: number;
  /** Files and folders that become the container's own. */
  readonly copies: Readonly<Record<string, string>>;
  /** What comes with the machine, read-only. */
  readonly binds: Readonly<Record<string, string>>;
};

/** Where images without a shell have their Node. */
const node = '/nodejs/bin/node';
const binds = { [node]: process.execPath };

/** The lab's own image: what the nodes serve. */
const backend: Image = {
  entrypoint: [node, '/app/backend.ts'],
  command: [],
  user: 65532,
  group: 65532,
  copies: { '/app/backend.ts': fromRoot('e2e/lab/programs/backend.ts') },
  binds,
};

/** Builds what the product's image holds out of the sources as they are now. */
export async function buildImage(): Promise<void> {
  await run(process.execPath, [fromRoot('deploy/bundle.ts')]);
}

/** The image of a name. Throws where there is none, or where it was not built. */
export function imageOf(name: string): Image {
  if (name === 'lab.invalid/backend:1') return backend;
  if (/^ghcr\.io\/mercurylb\/mercurylb:[\w.-]+$/.test(name)) return productImage();
  throw new Error(`there is no image ${name} in the lab`);
}

/** The last stage of the Dockerfile, made without Docker: what it copies, as whom it runs, and what. */
function productImage(): Image {
  if (!existsSync(fromRoot('dist'))) throw new Error('the image has not been built');
  return readStage(readFileSync(fromRoot('Dockerfile'), 'utf8'), fromRoot('.'));
}

/** Reads the words of a Dockerfile that ours uses; `root` is where it lies, and what its first stage builds in. */
function readStage(dockerfile: string, root: string): Image {
  const lines = dockerfile.split('\n');
  const stage = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')) + 1);
  const said = (word: string): readonly string[] =>
    stage.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  const listOf = (word: string): readonly string[] => JSON.parse(said(word).at(-1) ?? '[]');
  const [user = '0', group = user] = (said('USER').at(-1) ?? '').split(':');
  const copies = said('COPY').map((words) => placed(words.replace(/^--from=\w+ /, ''), root));
  return {
    entrypoint: listOf('ENTRYPOINT'),
    command: listOf('CMD'),
    user: Number(user),
    group: Number(group),
    copies: Object.fromEntries(copies),
    binds,
  };
}

/** `FROM TO`. A folder's content goes into TO, a file keeps its name there. */
function placed(words: string, root: string): readonly [at: string, from: string] {
  const [from = '', to = ''] = words.split(' ');
  const path = join(root, from.replace(/^\/build\//, ''));
  return [from.endsWith('/') ? to.replace(/\/$/, '') : join(to, basename(from)), path];
}
