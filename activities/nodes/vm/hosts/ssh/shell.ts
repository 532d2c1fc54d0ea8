import type { Readable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { quoted } from '../../../../process/quoted.ts';
import type { RunResult } from '../../../../process/run.ts';
import { endingOf, openChannel } from '../../../ssh/exec.ts';
import type { Line } from '../../../ssh/line.ts';

/**
 * Sessions that a connection has at most: an sshd allows 10 (`MaxSessions`) where nothing else is said. Each program
 * takes one, and each socket that is spoken to.
 */
const most = 8;

/** Exit code of a program that was killed. */
const killedCode = 137;

/** What a program on a host is given. */
interface ShellInput {
  readonly input?: string | Uint8Array;
  /** How its output becomes text. Default `utf8`. */
  readonly encoding?: BufferEncoding;
  /** Nobody waits for it any more when its standard error is like this. */
  readonly fatal?: RegExp | undefined;
}

/** Runs programs on a host, over as many connections as it takes. */
export interface Shell extends Pick<Line, 'use' | 'close' | 'lost'> {
  /** @throws EngineUnavailable */
  run(argv: readonly string[], options?: ShellInput): Promise<Omit<RunResult, 'timedOut'>>;
  /**
   * Runs a script of `sh`, in which nobody else may read what is made. @returns what it prints
   *
   * @throws an error with its last words where its exit code is not 0
   */
  script(script: string, args: readonly string[], options?: ShellInput): Promise<string>;
}

/** @param open opens a line to the host */
export function openShell(open: () => Line): Shell {
  const first = open();
  const slots = [{ line: first, users: 0 }];
  const shell: Shell = {
    lost: first.lost,
    async use(work) {
      const slot = slots.find(({ users }) => users < most) ?? { line: open(), users: 0 };
      if (!slots.includes(slot)) slots.push(slot);
      slot.users += 1;
      try {
        return await slot.line.use(work);
      } finally {
        slot.users -= 1;
      }
    },
    close() {
      for (const { line } of slots) line.close();
    },
    run: (argv, { input = '', encoding = 'utf8', fatal } = {}) =>
      shell.use(async (client) => {
        const channel = await openChannel(shell, client, quoted(argv));
        const [stdout, stderr] = [channel, channel.stderr as Readable].map((stream) => collect(stream, encoding));
        const ended = outcomeOf(channel);
        channel.end(input);
        const given = new Promise<number>((resolve) => {
          channel.stderr.on('data', () => {
            if (fatal?.test(stderr?.() ?? '')) resolve(killedCode);
          });
        });
        const code = await Promise.race([ended, given]).finally(() => channel.close());
        if (code === undefined) throw shell.lost('run a program', 'the connection was closed');
        return { code, stdout: stdout?.() ?? '', stderr: stderr?.() ?? '' };
      }),
    async script(script, args, options) {
      const { code, stdout, stderr } = await shell.run(['sh', '-c', `umask 077\n${script}`, 'sh', ...args], options);
      if (code !== 0) throw new Error(stderr.trim().split('\n').slice(-3).join('\n') || `it ended with ${code}`);
      return stdout;
    },
  };
  return shell;
}

function collect(stream: Readable, encoding: BufferEncoding): () => string {
  const parts: Buffer[] = [];
  stream.on('data', (part: Buffer) => parts.push(part));
  return () => Buffer.concat(parts).toString(encoding);
}

/** Waits until a program has ended and all that it has printed is here. @returns its exit code, unless the host is lost */
async function outcomeOf(channel: ClientChannel): Promise<number | undefined> {
  const { exit, closed } = endingOf(channel);
  let code: number | undefined;
  exit.then(
    ([number]) => {
      code = typeof number === 'number' ? number : killedCode;
    },
    () => {},
  );
  // A program that ends without reading its input is judged by its exit code.
  channel.on('error', () => {});
  await closed;
  return code;
}
