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
 * A port to listen on: the one asked for, or a free one for 0.
 *
 * @param key the configuration's key, for the message
 * @throws PortTaken when somebody listens there.
 */
export function choosePort(host: string, port: number, key: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new PortTaken(host, port, key) : new Error(`${key}: ${error.message}`));
    });
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      const chosen = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(chosen));
    });
  });
}

/** Ends once somebody listens at the port; waits `patience` milliseconds at most. @returns whether somebody does. */
export async function untilListening(host: string, port: number, patience: number): Promise<boolean> {
  for (const deadline = Date.now() + patience; !(await isListening(host, port)); await sleep(20)) {
    if (Date.now() > deadline) return false;
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
