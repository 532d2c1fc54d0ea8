import type { Client, SFTPWrapper } from 'ssh2';
import type { SftpUrl } from '../../../pipelines/mirror/url.ts';
import { unconnected } from '../ssh-options.ts';
import type { TransportOptions } from '../transport.ts';
import { MirrorError, type MirrorHostConfig } from '../types.ts';
import { accessTo } from './access.ts';

/** A session of SFTP that is open. */
export interface Connection {
  readonly sftp: SFTPWrapper;
  /** Whether files can be linked to each other there. */
  readonly links: boolean;
  isOpen(): boolean;
  end(): void;
}

/**
 * Connects, and makes sure that the host can do what a flip needs.
 *
 * @throws MirrorError `ssh:255` without a connection, `timeout` where nobody answers, `posix-rename` where the server
 *   cannot put one link in the place of another
 */
export async function connect(url: SftpUrl, config: MirrorHostConfig, options: TransportOptions): Promise<Connection> {
  const seconds = Math.max(1, Math.ceil(options.timeout));
  const access = await accessTo(url, config, seconds);
  const { default: ssh2 } = await import('ssh2');
  const client = new ssh2.Client();
  // Whoever waits for an answer hears of a connection that is lost: each request ends with it.
  client.on('error', () => {});
  try {
    await logIn(client, access, options.signal);
    const sftp = await openSession(client, seconds);
    let open = true;
    for (const lost of [client, sftp]) lost.once('close', () => (open = false));
    return { sftp, links: checkAbilities(sftp), isOpen: () => open, end: () => client.destroy() };
  } catch (error) {
    client.destroy();
    throw error;
  }
}

function logIn(client: Client, access: Parameters<Client['connect']>[0], signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => client.destroy(), { once: true });
    client
      .once('ready', () => resolve(void client.setNoDelay()))
      .once('error', (error) => reject(explained(error)))
      .once('close', () => reject(explained(signal?.aborted ? signal.reason : new Error('the connection was closed'))))
      .connect(access);
  });
}

function explained(error: Error & { readonly level?: string }): MirrorError {
  if (error.level === 'client-timeout') return new MirrorError('timeout', 'the host does not answer');
  if (error.level === 'client-authentication')
    return new MirrorError(unconnected, 'Permission denied: no key of ours is taken');
  const forged = /host (verification|denied)|verification failed/i.test(error.message);
  return new MirrorError(
    unconnected,
    forged ? 'Host key verification failed: the host shows another key' : error.message,
  );
}

function openSession(client: Client, seconds: number): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new MirrorError('timeout', 'the host took a question for SFTP and said nothing more'));
    const timer = setTimeout(late, seconds * 1_000);
    client.sftp((error, sftp) => {
      clearTimeout(timer);
      if (error) reject(new MirrorError('sftp', `the host offers no SFTP: ${error.message}`));
      else resolve(sftp);
    });
  });
}

/** ssh2 throws at once what the server has not offered, and a rename of nothing to nowhere does no harm. */
function checkAbilities(sftp: SFTPWrapper): boolean {
  const offers = (ask: () => void) => {
    try {
      ask();
      return true;
    } catch {
      return false;
    }
  };
  if (!offers(() => sftp.ext_openssh_rename('', '', () => {}))) {
    const lacking = 'the server offers no posix-rename@openssh.com, without which no link can be turned in one step';
    throw new MirrorError('posix-rename', `${lacking}, or the account may only read: nothing is sent there`);
  }
  return offers(() => sftp.ext_openssh_hardlink('', '', () => {}));
}
