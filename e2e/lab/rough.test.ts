import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Hosts, openHosts } from './hosts.ts';
import { needsLab } from './requirements.ts';
import { loseFrames, muddleFrames, smooth } from './rough.ts';

const exchange = async ({ client, control }: Hosts): Promise<string> =>
  (await client.outcomeOf('ping', ['-A', '-q', '-c', '200', '-w', '5', control.address])).stdout;

const asks = async ({ client, control }: Hosts): Promise<number | undefined> =>
  (await client.outcomeOf('arping', ['-q', '-f', '-w', '1', '-I', 'eth0', control.address])).code;

test('a bad wire loses frames, or doubles them, until it is mended', needsLab, async () => {
  await using hosts = await openHosts({ nodes: 0 });
  assert.equal(await asks(hosts), 0);
  await loseFrames(hosts.client, 99);
  assert.equal(await asks(hosts), 1);
  await smooth(hosts.all);
  assert.equal(await asks(hosts), 0);
  await muddleFrames(hosts.all);
  assert.match(await exchange(hosts), /200 received, \+\d+ duplicates, 0% packet loss/);
  await smooth(hosts.all);
  assert.match(await exchange(hosts), /200 received, 0% packet loss/);
});
