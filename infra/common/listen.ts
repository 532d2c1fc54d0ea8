import { createServer, type RequestListener, type Server } from 'node:http';
import { BlockList } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { bridgeAddress } from '../../activities/nodes/docker/bridge.ts';
import { containerRange } from '../../activities/nodes/docker/networks.ts';
import { EngineUnavailable } from '../../activities/nodes/engine-unavailable.ts';
import type { Config } from '../config/load.ts';
import { httpUrl } from '../stack/settings.ts';

/**
 * Where containers reach the server; its own address where the engine does not say how they reach this machine.
 *
 * @throws EngineUnavailable while there is no engine to ask.
 */
export async function containerUrl({ server }: Pick<Config, 'server'>): Promise<string> {
  if (server.containerUrl !== undefined) return server.containerUrl;
  return httpUrl((await bridge()) ?? server.listen.host, server.listen.port);
}

/** Milliseconds between two questions to an engine that was away when the server started. */
const pause = 3_000;

/**
 * Listens for people, and for containers on the bridge: they get repositories, and nothing that acts. While the engine
 * is away there is no bridge: it is asked again until it answers.
 *
 * @returns the way to end both.
 */
export async function listen(app: FastifyInstance, { server }: Pick<Config, 'server'>): Promise<() => Promise<void>> {
  const { host, port } = server.listen;
  guard(app.server);
  await app.listen({ host, port });
  const stopping = new AbortController();
  let second: Server | undefined;
  const onBridge = async () => {
    const address = await bridge();
    if (address !== undefined && address !== host) second = await listenOn(app, address, port);
  };
  const everywhere = host === '0.0.0.0' || host === '::';
  if (!everywhere) await untilEngineAnswers(onBridge, stopping.signal);
  return async () => {
    stopping.abort();
    second?.closeAllConnections();
    second?.close();
    await app.close();
  };
}

/** Waits for the first try alone: people are served without an engine. */
async function untilEngineAnswers(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof EngineUnavailable)) throw error;
    const again = sleep(pause, undefined, { signal, ref: false });
    void again.then(
      () => untilEngineAnswers(work, signal),
      () => {},
    );
  }
}

const containers = new BlockList();
containers.addSubnet(containerRange.address, containerRange.bits, 'ipv4');

/** Whatever address the server listens on, containers reach it there: they get no more than on the bridge. */
function guard(server: FastifyInstance['server']): void {
  const handlers = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const { remoteAddress = '', remoteFamily } = request.socket;
    const inside = containers.check(remoteAddress, remoteFamily === 'IPv6' ? 'ipv6' : 'ipv4');
    if (inside && !isForContainers(request.method, request.url)) response.writeHead(404).end();
    else for (const handle of handlers) handle(request, response);
  });
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

/** Undefined for an engine that has no such network. */
async function bridge(): Promise<string | undefined> {
  try {
    return await bridgeAddress();
  } catch (error) {
    if (error instanceof EngineUnavailable) throw error;
    return undefined;
  }
}
