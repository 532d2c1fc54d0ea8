import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import { EngineUnavailable } from '../engine-unavailable.ts';
import { type Line, openSharedLine } from '../ssh/line.ts';
import { lost } from './emulator.ts';
import type { Spot } from './hosts/port.ts';

/** Milliseconds without work after which a connection is closed: another process may want the machine's only port. */
const idle = 2_000;

/** Who is at the other end: where a machine is, and by what it is known. */
export interface Peer extends Spot {
  /** Our own key, in OpenSSH's form. */
  readonly clientKey: string;
  /** The machine's, as it stands in `known_hosts`: type and base64. */
  hostKey: string;
  /** Milliseconds until it must have answered: a machine that boots takes its time. */
  patience: number;
  /** By which of its ports: one takes one connection. Default `control`. */
  readonly port?: 'control' | 'person';
}

/** Opens a machine's line. */
export function openLine(peer: Peer): Line {
  return openSharedLine({ connect: (whenLost) => connectTo(peer, whenLost), lost, idle });
}

/** Milliseconds for the first greeting; each further one may take twice as long. */
const firstGreeting = 3_000;

async function connectTo(peer: Peer, whenLost: () => void): Promise<Client> {
  const end = Date.now() + peer.patience;
  for (let wait = firstGreeting; ; wait *= 2) {
    const left = Math.max(1, end - Date.now());
    try {
      const sock = await peer.host.connect(peer.directory, peer.port ?? 'control');
      await greeted(sock, Math.min(wait, left));
      return await logIn(peer, { sock, left }, whenLost);
    } catch (error) {
      if (error instanceof NotGreeted && Date.now() < end) continue;
      whenLost();
      throw error instanceof EngineUnavailable ? error : lost('connect', error);
    }
  }
}

/** Nobody answers yet: the machine still boots, or has not noticed yet that an earlier connection has ended. */
class NotGreeted extends Error {}

/**
 * Waits for the first word of an sshd, and says nothing before: what a port is sent while the sshd of an earlier
 * connection ends is lost with that.
 */
function greeted(socket: Duplex, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const stop = () => {
      clearTimeout(timer);
      socket.off('close', giveUp).off('data', look).pause();
    };
    const giveUp = () => {
      stop();
      socket.destroy();
      reject(new NotGreeted('the machine does not answer'));
    };
    const look = (part: Buffer) => {
      seen = Buffer.concat([seen, part]);
      const at = seen.indexOf('SSH-2.0');
      if (at < 0) return;
      stop();
      socket.unshift(seen.subarray(at));
      resolve();
    };
    const timer = setTimeout(giveUp, timeout);
    socket.on('close', giveUp).on('data', look);
    if (socket.destroyed) giveUp();
  });
}

interface Greeted {
  readonly sock: Duplex;
  readonly left: number;
}

async function logIn(peer: Peer, { sock, left }: Greeted, whenLost: () => void): Promise<Client> {
  const { default: ssh2 } = await import('ssh2');
  const client = new ssh2.Client();
  // One for each program that runs.
  client.setMaxListeners(0);
  return new Promise((resolve, reject) => {
    client
      .once('ready', () => resolve(client))
      .on('error', reject)
      .once('close', () => {
        sock.destroy();
        whenLost();
        reject(new Error('the connection was closed'));
      })
      .connect({
        sock,
        username: 'root',
        privateKey: peer.clientKey,
        readyTimeout: left,
        hostVerifier: (key: Buffer) => key.toString('base64') === peer.hostKey.split(' ')[1],
      });
  });
}
