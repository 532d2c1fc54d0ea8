import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';

/** Serves repositories as a web server with git's own CGI program does, for an authenticated user. */
export async function serve(t: TestContext, root: string, user: string | undefined): Promise<string> {
  const server = createServer((request, response) => backend(request, response, { root, user }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

function backend(
  request: IncomingMessage,
  response: ServerResponse,
  site: { root: string; user: string | undefined },
): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const env = {
    ...{ PATH: process.env.PATH, HOME: process.env.HOME, GIT_PROJECT_ROOT: site.root, GIT_HTTP_EXPORT_ALL: '1' },
    ...{ PATH_INFO: url.pathname, QUERY_STRING: url.search.slice(1), REQUEST_METHOD: request.method },
    ...{ CONTENT_TYPE: request.headers['content-type'], REMOTE_USER: site.user, REMOTE_ADDR: '127.0.0.1' },
    ...{
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'],
      GIT_PROTOCOL: `${request.headers['git-protocol'] ?? ''}`,
    },
  };
  const child = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stdout.on('end', () => {
    const output = Buffer.concat(chunks);
    const split = output.indexOf('\r\n\r\n');
    const headers = output.subarray(0, split).toString().split('\r\n');
    for (const line of headers) response.setHeader(line.split(': ')[0] ?? '', line.split(': ')[1] ?? '');
    response.statusCode = Number(/^Status: (\d+)/m.exec(headers.join('\n'))?.[1] ?? 200);
    response.end(output.subarray(split + 4));
  });
}
