/**
 * Stands in for the health endpoint of kube-proxy: answers with the status that a file holds. Arguments: PORT FILE.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [port = '', file = ''] = process.argv.slice(2);

createServer((_request, response) => {
  response.writeHead(Number(readFileSync(file, 'utf8')), { 'content-type': 'application/json' });
  response.end('{}');
}).listen(Number(port), '127.0.0.1');
