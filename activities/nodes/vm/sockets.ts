import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';

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
