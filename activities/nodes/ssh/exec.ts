import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import type { Client, ClientChannel } from 'ssh2';
import { quoted } from '../../process/quoted.ts';
import { type ExecOptions, type ExecResult, keptOutput } from '../port.ts';
import { watchEnd } from '../watch-end.ts';
import { wholeLines } from '../whole-lines.ts';
import type { Line } from './line.ts';
import type { Remote } from './remote.ts';

/** Milliseconds that what was killed has to be gone, before the program is given up. */
const grace = 10_000;
/**
 * Milliseconds that output may come after a program's end: its own, which a busy machine sends later than its exit code, or
 * of those that it has left behind.
 */
const settling = { program: 2_000, ours: 60_000 };
/** Exit code of a program that was killed. */
const killedCode = 137;

/** Runs a program in a machine without a shell; on timeout or abort all programs that were run there are killed. */
export function execute(remote: Remote, argv: readonly string[], options: ExecOptions): Promise<ExecResult> {
  options.signal.throwIfAborted();
  const { line } = remote;
  return line.use(async (client) => {
    const channel = await openChannel(line, client, commandOf(remote, argv, options));
    const { input = '' } = options;
    if (typeof input === 'string') channel.end(input);
    else input.pipe(channel);
    const output = collect(channel, options.log);
    const watch = watchEnd(options, () => kill(remote, client));
    const settled = () => Promise.race([output.ended, passed(settling.program)]);
    try {
      const code = await Promise.race([codeOf(line, channel, settled), watch.gaveUp.then(() => killedCode)]);
      options.signal.throwIfAborted();
      return { code: watch.timedOut() ? killedCode : code, output: output.text(), timedOut: watch.timedOut() };
    } finally {
      watch.stop();
      channel.close();
    }
  });
}

type Losing = Pick<Line, 'lost'>;

/** Starts a command of the machine's own; what it reads and prints is the caller's. @throws EngineUnavailable */
export function openChannel({ lost }: Losing, client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(lost('run a program', error));
    const closed = () => fail('the connection was closed');
    client.once('close', closed);
    client.exec(command, (error, channel) => {
      client.removeListener('close', closed);
      if (error) return fail(error);
      endings.set(channel, listen(channel));
      resolve(channel);
    });
  });
}

/** How a program ends: with its exit code or the name of a signal; and that its channel is closed. */
interface Ending {
  readonly exit: Promise<unknown[]>;
  readonly closed: Promise<unknown[]>;
}

/** What ends at once does so before anybody who has waited for its channel can listen. */
const endings = new WeakMap<ClientChannel, Ending>();

function listen(channel: ClientChannel): Ending {
  const ending = { exit: once(channel, 'exit'), closed: once(channel, 'close') };
  for (const each of Object.values(ending)) each.catch(() => {});
  return ending;
}

/** How a channel of `openChannel` ends, or has ended already. */
export function endingOf(channel: ClientChannel): Ending {
  return endings.get(channel) ?? listen(channel);
}

/**
 * A channel's exit code when it has ended, and its output too: the exit code may come first.
 *
 * @param output when nothing more of that is waited for, begun at the program's end
 * @throws EngineUnavailable when the machine is lost before
 */
export async function codeOf(
  { lost }: Losing,
  channel: ClientChannel,
  output: () => Promise<unknown> = () => passed(settling.ours),
): Promise<number> {
  // A program that was killed has no code but the name of a signal.
  const codeIn = ([code, signal]: unknown[]) =>
    typeof code === 'number' ? code : typeof signal === 'string' ? killedCode : undefined;
  const { closed, exit } = endingOf(channel);
  const ended = exit.then(async (how) => {
    await Promise.race([closed, output()]);
    return codeIn(how);
  });
  const code = await Promise.race([ended, closed.then(codeIn)]);
  if (code === undefined) throw lost('run a program', 'the connection was closed');
  return code;
}

/** After a time, and after all has been read that came in it: this process may have stood still. */
async function passed(milliseconds: number): Promise<void> {
  await sleep(milliseconds, undefined, { ref: false });
  await immediate();
}

/**
 * Runs a small command of ours, of which only the last words count.
 *
 * @returns what it printed
 * @throws an error with what it said, when it fails; EngineUnavailable
 */
export function say(line: Line, command: string, input = ''): Promise<string> {
  return line.use(async (client) => {
    const channel = await openChannel(line, client, command);
    let said = '';
    for (const stream of [channel, channel.stderr]) {
      stream.on('data', (text: Buffer) => {
        said = (said + text.toString()).slice(-2_000);
      });
    }
    const code = codeOf(line, channel);
    channel.end(input);
    if ((await code) !== 0) throw new Error(said.trim() || `it ended with ${await code}`);
    return said;
  });
}

function commandOf({ run }: Remote, argv: readonly string[], options: ExecOptions): string {
  const { user = 'root', cwd = '/', env = {} } = options;
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return quoted([...run, user, cwd, ...variables, ...argv]);
}

function collect(channel: ClientChannel, log: ExecOptions['log']) {
  let text = '';
  const take = (part: string) => {
    log?.write(part);
    text += part;
    if (text.length > 2 * keptOutput) text = text.slice(-keptOutput);
  };
  const ended = [channel, channel.stderr as Readable].map((stream) => once(stream.pipe(wholeLines(take)), 'end'));
  return { ended: Promise.all(ended), text: () => text.slice(-keptOutput) };
}

/** Kills all that runs; they have a while to be gone. */
async function kill({ end }: Remote, client: Client): Promise<void> {
  client.exec(quoted(end), (_, channel) => channel?.resume());
  await sleep(grace, undefined, { ref: false });
}
