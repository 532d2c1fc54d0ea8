import { Duplex, type Readable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import type { LiveProgram } from '../../../../process/begin.ts';
import { quoted } from '../../../../process/quoted.ts';
import { codeOf, endingOf, openChannel } from '../../../ssh/exec.ts';
import type { Receiving } from '../port.ts';
import { perl } from './programs.ts';
import type { Shell } from './shell.ts';

/** Connects to a socket in a directory. @throws an error with the host's words when nobody listens there */
export async function connectIn(shell: Shell, directory: string, name: string): Promise<Duplex> {
  return asSocket(await open(shell, perl('relay', directory, name), begun));
}

/** Waits for one connection, and writes what comes by it into a new file. */
export async function receive(
  shell: Shell,
  argv: readonly [directory: string, name: string, path: string],
): Promise<Receiving> {
  const channel = await open(shell, perl('receive', ...argv), begun);
  let words = '';
  channel.stderr.on('data', (text: Buffer) => {
    words += text;
  });
  const { exit, closed } = endingOf(channel);
  const written = exit.then(([code]) => {
    if (code !== 0) throw new Error(words.trim() || 'the file cannot be written');
  });
  const gone = closed.then(() => {
    throw shell.lost('receive a file', 'the connection was closed');
  });
  for (const each of [written, gone]) each.catch(() => {});
  return { written: Promise.race([written, gone]), close: () => channel.end() };
}

/** Begins a program that goes on until its input ends. */
export async function begin(shell: Shell, argv: readonly string[]): Promise<LiveProgram> {
  const channel = await open(shell, argv);
  const ended = codeOf(shell, channel);
  // Whoever waits for its end hears of that.
  ended.catch(() => {});
  const stderr = channel.stderr as Readable;
  return { stdout: channel, stderr, stop: () => channel.end(), kill: () => channel.close(), ended };
}

/** Starts a program, which keeps its place among the sessions of a connection until it ends. @param begun waits until it works */
function open(
  shell: Shell,
  argv: readonly string[],
  begun: (channel: ClientChannel) => Promise<void> = async () => {},
): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const work = shell.use(async (client) => {
      const channel = await openChannel(shell, client, quoted(argv));
      await begun(channel);
      resolve(channel);
      await endingOf(channel).closed;
    });
    work.catch(reject);
  });
}

/** It says so by a first character. */
async function begun(channel: ClientChannel): Promise<void> {
  let words = '';
  const hear = (text: Buffer) => {
    words += text;
  };
  channel.stderr.on('data', hear);
  // What comes at once after it is heard by nobody yet.
  const first = new Promise<void>((resolve) => {
    channel.once('data', (part: Buffer) => {
      channel.pause();
      if (part.length > 1) channel.unshift(part.subarray(1));
      resolve();
    });
  });
  const ended = endingOf(channel).closed.then(() => {
    throw new Error(words.trim() || 'the connection was closed');
  });
  ended.catch(() => {});
  await Promise.race([first, ended]);
  channel.stderr.off('data', hear);
}

/** A channel as a socket: it is gone when the other end is, after all has been read that came before. */
function asSocket(channel: ClientChannel): Duplex {
  const socket = new Duplex({
    read: () => void channel.resume(),
    write: (part, _, done) => void channel.write(part, () => done()),
    final(done) {
      channel.end();
      done();
    },
    destroy(error, done) {
      channel.close();
      done(error);
    },
  });
  let over = false;
  const end = () => {
    if (!over) socket.push(null);
    over = true;
    if (socket.readableLength === 0) socket.destroy();
  };
  channel.on('data', (part: Buffer) => {
    if (!over && !socket.push(part)) channel.pause();
  });
  channel
    .once('end', end)
    .once('close', end)
    .on('error', () => {});
  channel.stderr.resume();
  socket.once('end', () => socket.destroy()).on('error', () => {});
  return socket;
}
