import { createServer, type Server } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { bridgeAddress } from '../../activities/nodes/docker/bridge.ts';
import type { Config } from '../config/load.ts';
import { httpUrl } from '../stack/settings.ts';

/** Where containers reach the server; its own address where no engine says how they reach this machine. */
export async function containerUrl({ server }: Pick<Config, 'server'>): Promise<string> {
  if (server.containerUrl !== undefined) return server.containerUrl;
  return httpUrl((await bridge()) ?? server.listen.host, server.listen.port);
}

/**
 * Listens for people, and for containers on the bridge: they get repositories, and nothing that acts.
 *
 * @returns the way to end both.
 */
export async function listen(app: FastifyInstance, { server }: Pick<Config, 'server'>): Promise<() => Promise<void>> {
  const { host, port } = server.listen;
  await app.listen({ host, port });
  const address = await bridge();
  const everywhere = host === '0.0.0.0' || host === '::';
  const second =
    address === undefined || address === host || everywhere ? undefined : await listenOn(app, address, port);
  return async () => {
    second?.closeAllConnections();
    second?.close();
    await app.close();
  };
}

function listenOn(app: FastifyInstance, host: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    if (isForContainers(request.method, request.url)) app.routing(request, response);
    else response.writeHead(404).end();
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => resolve(server));
  });
}

function isForContainers(method = '', path = ''): boolean {
  return (method === 'GET' || method === 'HEAD') && /^\/(repositories|released)\//.test(path);
}

/** Undefined while the engine is away. */
function bridge(): Promise<string | undefined> {
  return bridgeAddress().catch(() => undefined);
}
