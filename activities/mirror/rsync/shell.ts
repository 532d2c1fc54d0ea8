import type { RsyncUrl } from '../../../pipelines/mirror/url.ts';
import { quoted } from '../../process/quoted.ts';
import { run } from '../../process/run.ts';
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

/** What a shell says before all else: an account for rsync alone says something else, or nothing. */
const greeting = 'sluice\n';

/** The shell of a mirror; null for a daemon, which has none. */
export function openShell(url: RsyncUrl, { ssh, seconds, signal }: ShellOptions): Shell | null {
  if (url.kind === 'rsync') return null;
  // Whatever the account's own shell is, it sees one plain word.
  const [program = '', ...words] = url.kind === 'ssh' && ssh !== null ? [...ssh.words, sshTarget(url), 'sh'] : ['sh'];
  const silence = ssh === null ? undefined : seconds * 1_000;
  let refused = false;
  return async (script, args) => {
    if (refused) return null;
    const input = `printf '${greeting.trim()}\\n'\nset -- ${quoted(args)}\n{ ${script}\n} </dev/null\n`;
    const options = { input, endsWithUs: true, silence, ...(signal ? { signal } : {}) };
    const { code, stdout, timedOut } = await run(program, words, options);
    if (timedOut) throw new MirrorError('timeout', 'the host took a command and said nothing more');
    if (stdout.startsWith(greeting)) return stdout.slice(greeting.length);
    // Without a connection nothing is known of what the account may do.
    refused = code !== 255;
    return null;
  };
}

/** A shell that fell silent has said nothing: rsync does what it was asked for. @throws what else went wrong */
export function nothingIfSilent(error: unknown): null {
  if (error instanceof MirrorError && error.code === 'timeout') return null;
  throw error;
}
