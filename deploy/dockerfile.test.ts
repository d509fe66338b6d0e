import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const lines = readFileSync('Dockerfile', 'utf8').split('\n');
const said = (word: string): readonly string[] =>
  lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
const nodeVersion = readFileSync('.node-version', 'utf8').trim();

test('the image is built by the Node of this project, and runs on the same major one', () => {
  const [building = '', running = ''] = said('FROM');
  assert.ok(building.startsWith(`node:${nodeVersion}-`), building);
  assert.ok(running.includes(`/nodejs${nodeVersion.split('.')[0]}-`), running);
});

test('what is copied is there, and not ignored', () => {
  const ignored = readFileSync('.dockerignore', 'utf8').split('\n');
  const sources = said('COPY')
    .filter((words) => !words.startsWith('--from='))
    .flatMap((words) => words.split(' ').slice(0, -1));
  assert.deepEqual(
    sources.filter((path) => !existsSync(path) || ignored.includes(path)),
    [],
  );
});

test('the bundles come from the stage that builds them', () => {
  const [folder = ''] = said('WORKDIR');
  const [out = ''] = said('RUN').flatMap((run) => /bundle\.ts (\w+)$/.exec(run)?.[1] ?? []);
  assert.ok(said('COPY').includes(`--from=build ${folder}/${out}/ /app/`));
  assert.ok(lines[0]?.startsWith('#') && said('FROM')[0]?.endsWith(' AS build'));
});

test('packages run no scripts of their own while the image is built', () => {
  assert.ok(
    said('RUN').some((run) => run.startsWith('npm ci ') && run.includes('--ignore-scripts')),
  );
});

test('the image runs as a number, which runAsNonRoot can judge, and not as root', () => {
  assert.match(said('USER').at(-1) ?? '', /^[1-9]\d*:[1-9]\d*$/);
});

test('the image needs no shell', () => {
  for (const word of ['ENTRYPOINT', 'CMD'])
    assert.ok(Array.isArray(JSON.parse(said(word).at(-1) ?? '')), word);
});
