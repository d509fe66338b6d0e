/**
 * What a node serves: HTTP that says which node answered, and a UDP echo for the probes, both on the port
 * given. Arguments: NODE ADDRESS PORT.
 */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';

const [node = '', address = '', port = ''] = process.argv.slice(2);

createServer((_request, response) => {
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  // One connection, one answer: the client counts new connections.
  response.setHeader('connection', 'close');
  response.end(`served by ${node}\n`);
}).listen(Number(port), address);

const echo = createSocket('udp4');
echo.on('message', (payload, from) => echo.send(payload, from.port, from.address));
echo.bind(Number(port), address);
