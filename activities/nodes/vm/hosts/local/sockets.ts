import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { Receiving } from '../port.ts';

/**
 * Connects to a socket in a directory. Addresses of sockets are short, and paths of data directories need not be: it is
 * reached by the directory's descriptor.
 *
 * @throws the system's error when nobody listens there
 */
export async function connectIn(directory: string, name: string): Promise<Socket> {
  const handle = await open(directory);
  try {
    const socket = connect(`/proc/self/fd/${handle.fd}/${name}`);
    await once(socket, 'connect');
    // It may be lost before anybody listens: whoever does asks whether it is.
    socket.on('error', () => {});
    return socket;
  } finally {
    await handle.close();
  }
}

/** Waits for one connection, and writes what comes by it into a new file. */
export async function receive(directory: string, name: string, path: string): Promise<Receiving> {
  const handle = await open(directory);
  const server = createServer();
  const close = () => {
    server.close();
    handle.close().catch(() => {});
  };
  try {
    server.listen(`/proc/self/fd/${handle.fd}/${name}`);
    await once(server, 'listening');
  } catch (error) {
    close();
    throw error;
  }
  const written = once(server, 'connection').then(([socket]: Socket[]) => {
    if (socket !== undefined)
      return pipeline(socket, createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }));
  });
  written.catch(() => {});
  return { written, close };
}
