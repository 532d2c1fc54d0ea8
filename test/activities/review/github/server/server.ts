import { createHash, verify } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { faultOfAnswer, faultOfRequest, findOperation } from './description.ts';
import { serveGit } from './git-http.ts';
import { type Answered, type Context, failed, routes } from './routes.ts';
import type { Fault, RepositoryState, World } from './state.ts';

export interface Running {
  readonly url: string;
  close(): Promise<void>;
}

const api = '/api/v3';

/** Serves the API at `URL/api/v3` and Git at `URL/OWNER/NAME.git`, as an Enterprise server does. */
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
    url: `http://127.0.0.1:${port}`,
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
  if (!url.pathname.startsWith(`${api}/`)) return serveGit(world, { request, response, url, input });
  const method = request.method ?? 'GET';
  const path = url.pathname.slice(api.length);
  world.asked.push(`${method} ${path}`);
  await world.before?.(`${method} ${path}`);
  const fault = takeFault(world, `${method} ${path}`);
  if (fault !== undefined && fault.done !== true) return fail(world, response, fault);
  const result = await handle(world, { method, path, url, input, authorization: request.headers.authorization ?? '' });
  if (fault !== undefined) return fail(world, response, fault);
  send(world, { request, response, url }, result);
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly url: URL;
  readonly input: Buffer;
  readonly authorization: string;
}

async function handle(world: World, { method, path, url, input, authorization }: Request): Promise<Answered> {
  const asked = findOperation(method, path);
  const handler = asked === undefined ? undefined : routes[asked.route];
  if (asked === undefined || handler === undefined) {
    world.problems.push(`nobody answers ${method} ${path}`);
    return failed(404, 'Not Found');
  }
  const login = authenticate(world, authorization);
  const asApp = /^(GET|POST) \/app(\/|$)|\/installation$/.test(asked.route);
  if (login !== null && typeof login === 'object') return failed(401, login.refused);
  if (login === undefined || asApp !== (login === null)) return failed(401, 'Bad credentials');
  const name = `${asked.given.owner}/${asked.given.repo}`.toLowerCase();
  const renamed = world.renamed.get(name);
  if (renamed !== undefined) {
    const location = `${api}${path.replace(/^\/repos\/[^/]+\/[^/]+/, `/repos/${renamed}`)}${url.search}`;
    return { ...failed(301, 'Moved Permanently'), headers: { location } };
  }
  const repository = world.repositories.find(({ fullName }) => fullName.toLowerCase() === name);
  if (repository === undefined && asked.given.owner !== undefined) return failed(404, 'Not Found');
  const body = input.length === 0 ? {} : JSON.parse(input.toString());
  const wrong = faultOfRequest(asked, body);
  if (wrong !== null) return failed(422, `Validation Failed: ${wrong}`);
  if (repository?.archived && method !== 'GET') return failed(403, 'Repository was archived so is read-only.');
  const context: Context = {
    world,
    asked,
    query: url.searchParams,
    body,
    login,
    repository: repository as RepositoryState,
  };
  const result = page(await handler(context), url);
  const problem = result.status < 300 ? faultOfAnswer(asked, result.status, result.body) : null;
  if (problem !== null) world.problems.push(`${asked.route} answers ${result.status}: ${problem}`);
  return result;
}

/** The login of who asks, null for the App itself, undefined for nobody, or why an App is not let in. */
function authenticate(world: World, authorization: string): string | null | undefined | { readonly refused: string } {
  const [, secret = ''] = authorization.split(' ');
  if (secret === world.token.value) return world.token.login;
  const now = Date.now() + world.skew;
  if (secret.startsWith(`ghs_${world.appId}_`)) {
    return Number(secret.split('_')[2]) > now ? `${world.slug}[bot]` : undefined;
  }
  const [head = '', claims = '', signature = ''] = secret.split('.');
  if (signature === '') return undefined;
  const text = Buffer.from(`${head}.${claims}`);
  const signed = verify('sha256', text, world.publicKey, Buffer.from(signature, 'base64url'));
  if (!signed) return { refused: 'A JSON web token could not be decoded' };
  const { iss, iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
  if (String(iss) !== String(world.appId)) return { refused: 'Integration not found' };
  const refused = faultOfTimes(Number(iat), Number(exp), now / 1_000);
  return refused === null ? null : { refused };
}

/** In GitHub's words. */
function faultOfTimes(iat: number, exp: number, now: number): string | null {
  if (!(iat <= now)) {
    return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued";
  }
  if (!(exp > now)) {
    return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires";
  }
  return exp > now + 600 ? "'Expiration time' claim ('exp') is too far in the future" : null;
}

function page(result: Answered, url: URL): Answered {
  const { list, under } = result;
  if (list === undefined) return result;
  const size = Math.min(100, Number(url.searchParams.get('per_page') ?? 30));
  const number = Number(url.searchParams.get('page') ?? 1);
  const items = list.slice((number - 1) * size, number * size);
  const body = under === undefined ? items : { total_count: list.length, [under]: items };
  if (number * size >= list.length) return { ...result, body };
  return { ...result, body, headers: { ...result.headers, 'x-next': String(number + 1) } };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}

function send(world: World, { request, response, url }: Exchange, { status, body, headers = {} }: Answered): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  const etag = `"${createHash('sha256').update(text).digest('hex')}"`;
  const { 'x-next': next, ...others } = headers as Record<string, string>;
  for (const [name, value] of Object.entries(others)) response.setHeader(name, value);
  response.setHeader('date', new Date(Date.now() + world.skew).toUTCString());
  response.setHeader('x-ratelimit-remaining', '4999');
  if (next !== undefined) {
    const following = new URL(url.href.replace('http://server', `http://${request.headers.host}`));
    following.searchParams.set('page', next);
    response.setHeader('link', `<${following.href}>; rel="next"`);
  }
  if (request.method === 'GET' && status === 200) response.setHeader('etag', etag);
  if (status === 200 && request.headers['if-none-match'] === etag) {
    response.writeHead(304).end();
    return;
  }
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(text);
}

function takeFault(world: World, request: string): Fault | undefined {
  const fault = world.faults.find(({ match, times }) => times > 0 && match.test(request));
  if (fault !== undefined) fault.times -= 1;
  return fault;
}

const json = { 'content-type': 'application/json; charset=utf-8' };

function fail(world: World, response: ServerResponse, { kind }: Fault): void {
  const reset = Math.ceil((Date.now() + world.skew) / 1_000) + 1;
  const limit = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(reset) };
  const text = JSON.stringify({ message: 'API rate limit exceeded', documentation_url: '' });
  switch (kind) {
    case 'unavailable':
      response.writeHead(503, json).end('{"message":"Service Unavailable"}');
      return;
    case 'busy':
      response.writeHead(500, json).end('{"message":"Server Error"}');
      return;
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Unicorn!</html>');
      return;
    case 'limited':
      response.writeHead(403, { ...json, ...limit }).end(text);
      return;
    case 'secondary':
      response
        .writeHead(403, { ...json, 'retry-after': '0' })
        .end('{"message":"You have exceeded a secondary rate limit."}');
      return;
    case 'cut':
      response.writeHead(200, { ...json, 'content-length': '1000' });
      response.write('{"id": 1, "nam');
      response.destroy();
  }
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
