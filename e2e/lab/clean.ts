/** `make clean-lab`: ends every lab on this machine, running or left over, and removes what it owned. */
import { allRecords, ownerOf, removeLab } from './record.ts';
import { until } from '../../daemon/testing/until.ts';

const records = allRecords();
for (const record of records) {
  const owner = ownerOf(record);
  if (owner !== undefined) {
    // It cleans up by itself; what does not react must not start things again while they are being removed.
    process.kill(owner, 'SIGTERM');
    const gone = until(`lab '${record.lab}' has ended`, () => ownerOf(record) === undefined);
    await gone.catch(() => process.kill(owner, 'SIGKILL'));
  }
  removeLab(record);
  process.stdout.write(`removed the lab '${record.lab}'\n`);
}
if (records.length === 0) process.stdout.write('there is no lab on this machine\n');
