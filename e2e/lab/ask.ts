/** `make cut NODE=node-1` and `make power NODE=node-1`: asks the lab that stays (`make lab KEEP=1`). */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { controlPath } from './control.ts';

const [verb = '', node = ''] = process.argv.slice(2);
const complain = (fault: string): void => {
  process.stderr.write(`${fault}\n`);
  process.exitCode = 1;
};

if (node === '') {
  complain(`which node? For example: make ${verb} NODE=node-1`);
} else {
  try {
    const socket = connect(controlPath);
    socket.write(`${JSON.stringify({ verb, node })}\n`);
    const answer = await text(socket);
    if (answer.startsWith('refused: ')) complain(answer.slice('refused: '.length).trim());
    else process.stdout.write(answer);
  } catch {
    complain(
      'no lab is waiting for that: start one with `make lab KEEP=1`, as root, in another terminal',
    );
  }
}
