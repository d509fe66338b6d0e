/**
 * What a node serves: HTTP that says which node answered, and a UDP echo for the probes, both on the port
 * given. Arguments: NODE ADDRESS[,ADDRESS] PORT.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import { isIPv6 } from 'node:net';

const [node = '', addresses = '', port = ''] = process.argv.slice(2);

for (const address of addresses.split(',')) {
  createServer((_request, response) => {
    response.setHeader('content-type', 'text/plain; charset=utf-8');
    // One connection, one answer: the client counts new connections.
    response.setHeader('connection', 'close');
    response.end(`served by ${node}\n`);
  }).listen(Number(port), address);

  const echo = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  echo.on('message', (payload, from) => echo.send(payload, from.port, from.address));
  echo.bind(Number(port), address);
}
