// A server that notes what it is sent, and answers when it is told to.

import { createServer } from 'node:http';

export async function listen(answer = () => ({ status: 200, body: [] })) {
  const sent = [];
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    const url = new URL(request.url, 'http://localhost');
    const asked = { method: request.method, path: url.pathname, query: [...url.searchParams], headers: request.headers, body: Buffer.concat(chunks).toString() };
    sent.push(asked);
    const { status, body } = await answer(asked);
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(body === undefined ? '' : JSON.stringify(body));
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return { sent, url: `http://127.0.0.1:${server.address().port}`, stop: () => { server.close(); server.closeAllConnections(); } };
}
