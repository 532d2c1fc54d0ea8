import type { RsyncUrl } from '../../../pipelines/mirror/url.ts';
import { ShellSession } from '../../process/shell-session.ts';
import { sshTarget } from '../ssh-options.ts';
import type { Shell } from '../transport.ts';
import { MirrorError } from '../types.ts';
import type { SshConnection } from './ssh.ts';

interface ShellOptions {
  readonly ssh: SshConnection | null;
  /** Seconds without a word after which the host counts as silent. */
  readonly seconds: number;
  readonly signal?: AbortSignal | undefined;
}

/** The shell of a mirror: as many of them as there were scripts side by side. */
export interface OpenShell {
  readonly run: Shell;
  close(): Promise<unknown>;
}

/** @returns null for a daemon, which has none */
export function openShell(url: RsyncUrl, { ssh, seconds, signal }: ShellOptions): OpenShell | null {
  if (url.kind === 'rsync') return null;
  // Whatever the account's own shell is, it sees one plain word.
  const [program = '', ...words] = url.kind === 'ssh' && ssh !== null ? [...ssh.words, sshTarget(url), 'sh'] : ['sh'];
  const silence = ssh === null ? undefined : seconds * 1_000;
  const sessions: ShellSession[] = [];
  let refused = false;
  const begin = () => {
    const session = new ShellSession(program, words);
    sessions.push(session);
    return session;
  };
  return {
    async run(script, args) {
      if (refused) return null;
      const session = sessions.find(({ free }) => free) ?? begin();
      const { text, code, timedOut } = await session.run(script, args, { silence, signal });
      if (timedOut) throw new MirrorError('timeout', 'the host took a command and said nothing more');
      // Without a connection nothing is known of what the account may do.
      if (!session.answered && text === null) refused = code !== 255;
      return text;
    },
    close: () => Promise.all(sessions.map((session) => session.stop())),
  };
}

/** A shell that fell silent has said nothing: rsync does what it was asked for. @throws what else went wrong */
export function nothingIfSilent(error: unknown): null {
  if (error instanceof MirrorError && error.code === 'timeout') return null;
  throw error;
}
