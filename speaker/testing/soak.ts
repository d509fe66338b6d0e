/** Plays millions of schedules: `make soak SCHEDULES=1000000 FROM=1`. Ends with 1 at the first that breaks an invariant. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { explain, type Failure, firstFailure } from './verdict.ts';

type Task = { readonly from: number; readonly count: number };

const perTask = 250;
const sayEvery = 5_000;

if (isMainThread) process.exitCode = await soak();
else {
  parentPort?.on('message', (task: Task) => parentPort?.postMessage(firstFailure(task)));
}

async function soak(): Promise<number> {
  const { values } = parseArgs({
    options: {
      schedules: { type: 'string', default: '100000' },
      from: { type: 'string', default: '1' },
    },
  });
  const first = Number(values.from);
  const end = first + Number(values.schedules);
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(end) || end <= first) {
    throw new Error('playing schedules: SCHEDULES and FROM have to be whole numbers above zero.');
  }
  let next = first;
  let played = 0;
  const failures: Failure[] = [];
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL(import.meta.url));
    while (next < end && failures.length === 0) {
      const task: Task = { from: next, count: Math.min(perTask, end - next) };
      next += task.count;
      const failure = await ask(worker, task);
      if (failure !== undefined) failures.push(failure);
      played += task.count;
      if (played % sayEvery < task.count) say(`${played} schedules played\n`);
    }
    await worker.terminate();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  const [failure] = failures.toSorted((a, b) => a.seed - b.seed);
  if (failure === undefined) {
    say(`no invariant was broken in the schedules ${first} to ${end - 1}\n`);
    return 0;
  }
  say(`${explain(failure)}\n`);
  return 1;
}

function ask(worker: Worker, task: Task): Promise<Failure | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Failure | undefined>();
  worker.once('message', resolve);
  worker.once('error', reject);
  worker.postMessage(task);
  return promise.finally(() => worker.removeListener('error', reject));
}

function say(text: string): void {
  process.stdout.write(text);
}
