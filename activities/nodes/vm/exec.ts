import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, ClientChannel } from 'ssh2';
import type { ExecOptions, ExecResult } from '../port.ts';
import { watchEnd } from '../watch-end.ts';
import { wholeLines } from '../whole-lines.ts';
import { lost } from './emulator.ts';
import type { Line } from './line.ts';

/** How much of a program's output is kept in its result, in characters. */
const keptOutput = 1024 * 1024;
/** Milliseconds that what was killed has to be gone, before the program is given up. */
const grace = 10_000;
/** Milliseconds that output may come after a program's end, from those that it has left behind. */
const settling = 1_000;
/** Exit code of a program that was killed. */
const killedCode = 137;

/** Ends everything that was started here, at once. */
const killAll = 'echo 1 > /sys/fs/cgroup/sluice/cgroup.kill';

/** Runs a program in a machine without a shell; on timeout or abort all programs that were run there are killed. */
export function execute(line: Line, argv: readonly string[], options: ExecOptions): Promise<ExecResult> {
  options.signal.throwIfAborted();
  return line.use(async (client) => {
    const channel = await openChannel(client, commandOf(argv, options));
    channel.end(options.input ?? '');
    const output = collect(channel, options.log);
    const watch = watchEnd(options, () => kill(client));
    try {
      const code = await Promise.race([codeOf(channel, output.ended), watch.gaveUp.then(() => killedCode)]);
      options.signal.throwIfAborted();
      return { code: watch.timedOut() ? killedCode : code, output: output.text(), timedOut: watch.timedOut() };
    } finally {
      watch.stop();
      channel.close();
    }
  });
}

/** Starts a command of the machine's own; what it reads and prints is the caller's. @throws EngineUnavailable */
export function openChannel(client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(lost('run a program', error));
    const closed = () => fail('the connection was closed');
    client.once('close', closed);
    client.exec(command, (error, channel) => {
      client.removeListener('close', closed);
      if (error) return fail(error);
      resolve(channel);
    });
  });
}

/** A channel's exit code when it has ended. @throws EngineUnavailable when the machine is lost before */
export async function codeOf(channel: ClientChannel, output?: Promise<unknown>): Promise<number> {
  // A program that was killed has no code but the name of a signal.
  const codeIn = ([code, signal]: unknown[]) =>
    typeof code === 'number' ? code : typeof signal === 'string' ? killedCode : undefined;
  const closed = once(channel, 'close');
  const ended = once(channel, 'exit').then(async (exit) => {
    await Promise.race([closed, output, sleep(settling)]);
    return codeIn(exit);
  });
  const code = await Promise.race([ended, closed.then(codeIn)]);
  if (code === undefined) throw lost('run a program', 'the connection was closed');
  return code;
}

export function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}

function commandOf(argv: readonly string[], { user = 'root', cwd = '/', env = {} }: ExecOptions): string {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return quoted(['/usr/lib/sluice/run', user, cwd, ...variables, ...argv]);
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
async function kill(client: Client): Promise<void> {
  client.exec(killAll, (_, channel) => channel?.resume());
  await sleep(grace, undefined, { ref: false });
}
