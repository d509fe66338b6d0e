/**
 * Opens a new connection at a fixed pace, asks for `/` and reads the answer to its end. Arguments: ADDRESS PORT
 * INTERVAL_MS TIMEOUT_MS. One JSON line per finished connection: when it began, how long it took, and its
 * failure where it had one, with the kernel's word for it where that has one. SIGTERM: no new ones.
 */
import { get } from 'node:http';
import { systemClock } from '../../../daemon/clock.ts';
import { urlOf } from '../url.ts';

const [address = '', port = '', interval = '', timeout = ''] = process.argv.slice(2);
const url = urlOf(address, Number(port));

const timer = setInterval(connect, Number(interval));
// What is under way is waited for, then there is nothing left to do.
process.once('SIGTERM', () => clearInterval(timer));

function connect(): void {
  const fromMs = systemClock.nowMs();
  const signal = AbortSignal.timeout(Number(timeout));
  const report = (failure?: string, code?: string): void => {
    const tookMs = systemClock.nowMs() - fromMs;
    process.stdout.write(`${JSON.stringify({ fromMs, tookMs, failure, code })}\n`);
  };
  const failed = (error: NodeJS.ErrnoException): void => {
    const stage = request.socket?.connecting === false ? 'connected, ' : 'not connected, ';
    if (signal.aborted) report(`${stage}no answer within ${timeout} ms`);
    else report(error.message, error.code);
  };
  const request = get(url, { agent: false, signal }, (response) => {
    response.on('error', failed);
    response.on('end', () => {
      report(response.statusCode === 200 ? undefined : `status ${response.statusCode}`);
    });
    response.resume();
  });
  request.on('error', failed);
}
