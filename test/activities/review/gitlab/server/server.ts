import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { faultOfAnswer, faultOfRequest, findOperation } from './description.ts';
import { serveGit } from './git-http.ts';
import { type Answered, type Context, failed, routes } from './routes.ts';
import type { Fault, ProjectState, RequestState, World } from './state.ts';

export interface Running {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the API at `URL/api/v4` and Git at `URL/GROUP/NAME.git`, below a path of the machine. */
export async function serve(world: World): Promise<Running> {
  const server = createServer((request, response) => {
    void answer(world, request, response).catch((error: unknown) => {
      world.problems.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
      response.destroy();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${world.base}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function answer(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://server');
  const input = await readAll(request);
  const api = `${world.base}/api/v4`;
  if (!url.pathname.startsWith(`${api}/`)) return serveGit(world, { request, response, url, input });
  const method = request.method ?? 'GET';
  const path = url.pathname.slice(api.length);
  world.asked.push(`${method} ${path}`);
  const fault = world.faults.find(({ match, times }) => times > 0 && match.test(`${method} ${path}`));
  if (fault !== undefined) fault.times -= 1;
  if (fault !== undefined && fault.done !== true) return fail(world, response, fault);
  const token = request.headers['private-token'];
  const result = token === world.token ? await handle(world, { method, path, url, input }) : unauthorized;
  await world.onAnswered?.(`${method} ${path}`);
  if (fault !== undefined) return fail(world, response, fault);
  send(world, response, page(result, url));
}

const unauthorized = failed(401, '401 Unauthorized');

interface Request {
  readonly method: string;
  readonly path: string;
  readonly url: URL;
  readonly input: Buffer;
}

async function handle(world: World, { method, path, url, input }: Request): Promise<Answered> {
  const asked = findOperation(method, path);
  const handler = asked === undefined ? undefined : routes[`${method} ${asked.operation.path}`];
  if (asked === undefined || handler === undefined) {
    world.problems.push(`nobody answers ${method} ${path}`);
    return failed(404, '404 Not Found');
  }
  const name = asked.given.project?.toLowerCase();
  const project = world.projects.find((each) => [each.name.toLowerCase(), String(each.id)].includes(name ?? ''));
  const moved = world.projects.find(({ formerly }) => name !== undefined && formerly?.toLowerCase() === name);
  if (project === undefined && moved !== undefined) return leadOn(world, { method, url }, moved);
  if (name !== undefined && project === undefined) return failed(404, '404 Project Not Found');
  const request = project?.requests.find(({ iid }) => String(iid) === asked.given.iid);
  if (asked.given.iid !== undefined && request === undefined) return failed(404, '404 Not found');
  const body = input.length === 0 ? {} : JSON.parse(input.toString());
  const wrong = faultOfRequest(asked, url.searchParams, body);
  if (wrong !== null) world.problems.push(`${method} ${path} asks for what there is not: ${wrong}`);
  const context: Context = {
    ...{ world, asked, query: url.searchParams, body },
    project: project as ProjectState,
    request: request as RequestState,
  };
  const result = await handler(context);
  const told = result.list ?? result.body;
  const problem = result.status < 300 ? faultOfAnswer(asked, result.status, told) : null;
  if (problem !== null) world.problems.push(`${method} ${asked.operation.path} answers ${result.status}: ${problem}`);
  return result;
}

/** As GitLab does: to the project's number, and only where nothing is changed. */
function leadOn(world: World, { method, url }: Pick<Request, 'method' | 'url'>, { id }: ProjectState): Answered {
  if (method !== 'GET') return failed(405, 'Non GET methods are not allowed for moved projects');
  const path = url.pathname.replace(/\/projects\/[^/]+/, `/projects/${id}`);
  return {
    ...failed(301, 'Moved Permanently'),
    headers: { location: `${new URL(world.url).origin}${path}${url.search}` },
  };
}

function page(result: Answered, url: URL): Answered {
  const { list } = result;
  if (list === undefined) return result;
  const size = Math.min(100, Number(url.searchParams.get('per_page') ?? 20));
  const number = Number(url.searchParams.get('page') ?? 1);
  const next = number * size >= list.length ? '' : String(number + 1);
  const headers = { ...result.headers, 'x-page': String(number), 'x-per-page': String(size), 'x-next-page': next };
  return { ...result, body: list.slice((number - 1) * size, number * size), headers };
}

const json = { 'content-type': 'application/json' };

function send(world: World, response: ServerResponse, { status, body, headers = {} }: Answered): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('date', new Date(Date.now() + world.skew).toUTCString());
  response.setHeader('ratelimit-remaining', '1999');
  response.writeHead(status, json).end(body === undefined ? '' : JSON.stringify(body));
}

function fail(world: World, response: ServerResponse, { kind }: Fault): void {
  const reset = { 'ratelimit-remaining': '0', 'ratelimit-reset': String(Math.ceil((Date.now() + world.skew) / 1_000)) };
  switch (kind) {
    case 'unavailable':
      response.writeHead(503, json).end('{"message":"503 Service Unavailable"}');
      return;
    case 'busy':
      response.writeHead(500, json).end('{"message":"500 Internal Server Error"}');
      return;
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>GitLab is not responding</html>');
      return;
    case 'limited':
      response.writeHead(429, { 'content-type': 'text/plain', 'retry-after': '0' }).end('Retry later\n');
      return;
    case 'reset':
      response.writeHead(429, { 'content-type': 'text/plain', ...reset }).end('Retry later\n');
      return;
    case 'cut':
      response.writeHead(200, { ...json, 'content-length': '1000' });
      response.write('{"id": 1, "nam');
      response.destroy();
      return;
    default:
      response.writeHead(kind, json).end(JSON.stringify({ message: `${kind} Method Not Allowed` }));
  }
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
