/** `make clean-lab`: ends every lab on this machine, running or left over, and removes what it owned. */
import { allRecords, ownerOf, removeLab } from './record.ts';

const records = allRecords();
for (const record of records) {
  const owner = ownerOf(record);
  // It would only start things again while they are being removed.
  if (owner !== undefined) process.kill(owner, 'SIGKILL');
  removeLab(record);
  process.stdout.write(`removed the lab '${record.lab}'\n`);
}
if (records.length === 0) process.stdout.write('there is no lab on this machine\n');
