import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A port that another program has, and the key of the configuration that names it. */
export class PortTaken extends Error {
  constructor(host: string, port: number, key: string) {
    super(
      `${host}:${port} is taken by another program: give \`${key}\` in sluice.yaml another port, or 0 for a free one`,
    );
    this.name = 'PortTaken';
  }
}

/**
 * Where free ports are looked for: below those that the system gives to whoever asks for any, so that nobody else gets
 * one between our look and our use.
 */
const ours = { from: 20_000, count: 12_000 };

/** A port of this host that nobody listens on. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = ours.from + randomInt(ours.count);
    if (await canListen(host, port)) return port;
  }
}

/**
 * A port to listen on: the one asked for, or a free one for 0.
 *
 * @param key the configuration's key, for the message
 * @throws PortTaken when somebody listens there.
 */
export async function choosePort(host: string, port: number, key: string): Promise<number> {
  try {
    if (port === 0) return await freePort(host);
    if (await canListen(host, port)) return port;
  } catch (error) {
    throw new Error(`${key}: ${(error as Error).message}`);
  }
  throw new PortTaken(host, port, key);
}

/** @throws for any other reason than that somebody else listens there. */
function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** How long somebody is waited for. */
interface Patience {
  /** Milliseconds at most. */
  readonly patience: number;
  /** Ends it at once. */
  readonly signal?: AbortSignal;
}

/** Ends once somebody listens at the port, or is not waited for any more. @returns whether somebody does. */
export async function untilListening(host: string, port: number, { patience, signal }: Patience): Promise<boolean> {
  for (const deadline = Date.now() + patience; !(await isListening(host, port)); await sleep(20)) {
    if (Date.now() > deadline || signal?.aborted) return false;
  }
  return true;
}

function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const answer = (listening: boolean) => () => {
      socket.destroy();
      resolve(listening);
    };
    socket.once('connect', answer(true));
    socket.once('error', answer(false));
  });
}
