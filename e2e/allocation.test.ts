import { after } from 'node:test';
import { describeAllocation } from './allocation/suite.ts';
import { openApiServer } from './apiserver/server.ts';

const server = await openApiServer();
after(() => server.close());

describeAllocation('the embedded server', async () => ({ server: await server.listen() }));
