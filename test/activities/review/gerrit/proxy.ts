import { createServer as createHttp, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A way to a port of this machine that can be cut without a word to either side. */
export interface Wire {
  readonly port: number;
  /** Nothing goes through the connections that are open, and nobody is told. */
  cut(): void;
}

export async function openWire(t: TestContext, to: number): Promise<Wire> {
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect({ host: '127.0.0.1', port: to });
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('error', () => socket.destroy());
    }
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      for (const socket of open) {
        socket.unpipe();
        socket.pause();
        socket.removeAllListeners('end');
      }
    },
  };
}

/** What happens to an answer of the real host on its way. */
export type Trouble = (response: ServerResponse, real: { status: number; body: string }) => void;

export interface BadWay {
  readonly url: string;
  /** The next requests whose path begins so meet these troubles, in order; then all is well again. */
  meet(path: string, ...troubles: readonly Trouble[]): void;
  /** The next request whose path begins so gets this answer, and the host never hears of it. */
  refuse(path: string, trouble: Trouble): void;
  /** Headers that are given instead of the host's. */
  readonly headers: Record<string, string>;
  /** What was asked so far: `GET /a/changes/7`. */
  readonly asked: string[];
}

/** Answers that are none: whoever gets one asks again. */
export const troubles = {
  busy: (response) => response.writeHead(503).end('busy'),
  limited: (response) => response.writeHead(429, { 'retry-after': '0' }).end('too many'),
  page: (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Log in</html>'),
  half(response, { body }) {
    response.writeHead(200, { 'content-length': String(body.length) }).write(body.slice(0, body.length / 2));
    setTimeout(() => response.destroy(), 20);
  },
  /** The host has done it, and nobody hears of it. */
  silent: (response) => response.destroy(),
} as const satisfies Record<string, Trouble>;

/** Answers that stand. */
export const refusals = {
  conflict: (response) => response.writeHead(409).end('somebody else writes it just now'),
  absent: (response) => response.writeHead(404).end('Not found'),
} as const satisfies Record<string, Trouble>;

/** A proxy in front of a real host. */
export async function openBadWay(t: TestContext, to: string): Promise<BadWay> {
  const waiting: { readonly path: string; readonly trouble: Trouble }[] = [];
  const headers: Record<string, string> = {};
  const refused = new Map<string, Trouble>();
  const asked: string[] = [];
  const server = createHttp((request, response) => {
    const { method, url: path = '' } = request;
    asked.push(`${method} ${path.split('?')[0]}`);
    const begin = [...refused.keys()].find((each) => path.startsWith(each));
    const refusal = begin === undefined ? undefined : refused.get(begin);
    if (begin !== undefined && refusal !== undefined) {
      refused.delete(begin);
      return refusal(response, { status: 0, body: '' });
    }
    void forward(request, to).then((real) => {
      const index = waiting.findIndex((each) => path.startsWith(each.path));
      const [met] = index < 0 ? [] : waiting.splice(index, 1);
      if (met !== undefined) return met.trouble(response, real);
      response.writeHead(real.status, { ...real.headers, ...headers }).end(real.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ url, headers, asked },
    meet: (path, ...all) => void waiting.push(...all.map((trouble) => ({ path, trouble }))),
    refuse: (path, trouble) => void refused.set(path, trouble),
  };
}

async function forward(asked: IncomingMessage, to: string) {
  return new Promise<{ status: number; body: string; headers: Record<string, string> }>((resolve, reject) => {
    const { connection: _, host: __, 'accept-encoding': ___, ...headers } = asked.headers;
    const passed = request(`${to}${asked.url}`, { method: asked.method, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const { date = '', 'content-type': type = 'text/plain' } = answer.headers;
        const kept = { date, 'content-type': type };
        resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString(), headers: kept });
      });
    });
    passed.on('error', reject);
    asked.pipe(passed);
  });
}
