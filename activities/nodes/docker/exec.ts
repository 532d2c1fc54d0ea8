import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { EngineUnavailable } from '../engine-unavailable.ts';
import { type ExecOptions, type ExecResult, keptOutput } from '../port.ts';
import { watchEnd } from '../watch-end.ts';
import { wholeLines } from '../whole-lines.ts';
import { ask, askIfThere } from './faults.ts';
import { killAll } from './quiet.ts';

/** Milliseconds that killed processes have before the whole container is killed. */
const grace = 5_000;
/** Milliseconds after which the engine knows that a container has ended. */
const settling = 300;
/** An exit code that says "killed": worth asking whether the container itself is still there. */
const killedCode = 137;

/**
 * Runs a program in a container without a shell.
 *
 * @returns its exit code and output; on timeout everything in the container but process 1 is killed.
 * @throws the signal's reason on abort (after killing likewise); EngineUnavailable when the engine or container is lost.
 */
export async function execute(
  docker: Docker,
  container: Docker.Container,
  program: { readonly argv: readonly string[]; readonly options: ExecOptions },
): Promise<ExecResult> {
  const { argv, options } = program;
  options.signal.throwIfAborted();
  const exec = await ask(`start ${argv[0]}`, container.exec(execConfig(argv, options)));
  const starting = exec.start({ hijack: true, stdin: options.input !== undefined });
  const stream = await askIfThere(`start ${argv[0]}`, starting);
  if (stream === null) throw endedOf(container);
  if (typeof options.input === 'string') stream.end(options.input);
  else options.input?.pipe(stream);
  const output = collect(docker, stream, options.log);
  const watch = watchEnd(options, () => killProcesses(container));
  try {
    await Promise.race([output.ended, watch.gaveUp]);
  } finally {
    watch.stop();
    stream.destroy();
  }
  options.signal.throwIfAborted();
  if (watch.timedOut()) return { code: killedCode, output: output.text(), timedOut: true };
  return { code: await exitCode(container, exec), output: output.text(), timedOut: false };
}

function execConfig(argv: readonly string[], options: ExecOptions): Docker.ExecCreateOptions {
  return {
    Cmd: [...argv],
    AttachStdin: options.input !== undefined,
    AttachStdout: true,
    AttachStderr: true,
    User: options.user ?? 'root',
    WorkingDir: options.cwd ?? '/',
    Env: Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`),
  };
}

function collect(docker: Docker, stream: NodeJS.ReadWriteStream, log: ExecOptions['log']) {
  let text = '';
  const take = (part: string) => {
    log?.write(part);
    text += part;
    if (text.length > 2 * keptOutput) text = text.slice(-keptOutput);
  };
  const outputs = [wholeLines(take), wholeLines(take)] as const;
  docker.modem.demuxStream(stream, ...outputs);
  const ended = Promise.all(outputs.map((output) => once(output, 'end')));
  for (const event of ['end', 'close', 'error']) stream.on(event, () => outputs.forEach((output) => void output.end()));
  return { ended, text: () => text.slice(-keptOutput) };
}

/** Kills everything in the container but process 1; the container itself when that cannot be done. Never throws. */
async function killProcesses(container: Docker.Container): Promise<void> {
  try {
    await killAll(container);
    await sleep(grace, undefined, { ref: false });
  } catch {
    await container.kill().catch(() => {});
  }
}

async function exitCode(container: Docker.Container, exec: Docker.Exec): Promise<number> {
  for (let wait = 1; ; wait = Math.min(wait * 2, 100)) {
    const state = await inspect(container, exec);
    if (!state.Running && state.ExitCode !== null) {
      if (state.ExitCode === killedCode) await assertRunning(container);
      return state.ExitCode;
    }
    await sleep(wait);
  }
}

async function inspect(container: Docker.Container, exec: Docker.Exec): Promise<Docker.ExecInspectInfo> {
  const state = await askIfThere('read an exit code', exec.inspect());
  if (state === null) throw endedOf(container);
  return state;
}

/** @throws EngineUnavailable when the program ended because its container did. */
async function assertRunning(container: Docker.Container): Promise<void> {
  // The engine learns of the end of a container after that of the programs inside.
  await sleep(settling);
  const state = (await askIfThere('look at a container', container.inspect()))?.State;
  if (!state?.Running) throw endedOf(container);
}

function endedOf({ id }: Docker.Container): EngineUnavailable {
  return EngineUnavailable.ended(`the container ${id.slice(0, 12)}`);
}
