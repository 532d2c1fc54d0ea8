import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A socket in front of the container engine, which can be taken away and put back as if the engine had ended. */
export interface EngineSocket {
  /** For `DOCKER_HOST`. */
  readonly url: string;
  away(): void;
  back(): Promise<void>;
}

const engine = process.env.DOCKER_HOST?.replace(/^unix:\/\//, '') ?? '/var/run/docker.sock';

export async function openEngineSocket(path: string): Promise<EngineSocket> {
  const open = new Set<Socket>();
  let server: Server | undefined;
  const away = () => {
    server?.close();
    rmSync(path, { force: true });
    for (const socket of open) socket.destroy();
  };
  const back = async () => {
    server = createServer({ allowHalfOpen: true }, (client) => join(client, open)).listen(path);
    await once(server, 'listening');
  };
  await back();
  return { url: `unix://${path}`, away, back };
}

/** Half-open on both sides: the engine answers after a request has ended. */
function join(client: Socket, open: Set<Socket>): void {
  const upstream = connect({ path: engine, allowHalfOpen: true });
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    open.add(from);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      open.delete(from);
      to.destroy();
    });
    from.pipe(to);
  }
}
