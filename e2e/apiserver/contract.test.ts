import { after } from 'node:test';
import { describeContract } from './contract.ts';
import { Client } from './contract-client.ts';
import { openApiServer } from './server.ts';

const server = await openApiServer();
after(() => server.close());

describeContract('the embedded server', async () => new Client(await server.listen()));
