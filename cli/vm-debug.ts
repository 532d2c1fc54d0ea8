import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { writtenSeconds } from '../pipelines/model/duration.ts';
import type { DebugSession, DebugView } from '../server/api/types.ts';
import { type ApiClient, addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { failed } from './fault.ts';
import { duration, log, paint, print, table } from './output.ts';

interface Options extends ClientOptions {
  readonly for: number;
  readonly end?: boolean;
  readonly step?: number;
}

/** Milliseconds between two questions how far it is. */
const pause = 500;

/** Adds `vm debug`. */
export function register(program: Command): void {
  const command = addCommand(program, 'vm debug', {
    examples: ['', ' --step 3', ' --for 4h', ' --end'].map(
      (rest) => `sluice vm debug install-deb-8d1f0c2e3f2a9c10${rest}`,
    ),
    details:
      'Restores the machines of a job that failed, as they were then, in a network of their own that leads nowhere, and ' +
      'prints how a shell is had on each, on the server’s machine. The session ends by itself; who asks again moves its ' +
      'end. What is kept stays as it was, so that each session begins at the failure.',
  });
  addClientOptions(command)
    .argument('<build>', 'the failed build’s id, as `sluice builds` lists it')
    .option('--for <time>', 'how long from now on: seconds, or 90m, 4h', parseTime, 3600)
    .option('--step <n>', 'as they were after this step of the system test, instead of at the failure', parseStep)
    .option('--end', 'end the session now')
    .action(debug);
}

function parseTime(text: string): number {
  const seconds = Number(writtenSeconds(text));
  if (text.trim() === '' || !Number.isInteger(seconds) || seconds < 60 || seconds > 24 * 3600) {
    throw new InvalidArgumentError('Give a minute to a day: seconds, or a time such as 90m or 4h.');
  }
  return seconds;
}

function parseStep(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Give the number of a step, from 1.');
  return Number(text);
}

async function debug(build: string, options: Options): Promise<void> {
  const client = createClient(options);
  if (options.end) {
    await client.post('/api/machines/debug/end', { build });
    return print(
      { build, state: 'ended' },
      () => `The session of ${build} is ended; its machines are still kept.`,
      options,
    );
  }
  await client.post('/api/machines/debug', { build, seconds: options.for, step: options.step });
  log(`looking for the kept machines of ${build}`);
  const session = await opened(client, build);
  print(session, (view) => render(view, Date.now()), options);
}

async function opened(client: ApiClient, build: string): Promise<DebugView> {
  for (;;) {
    const now = await client.get<DebugSession>('/api/machines/debug', { build });
    if (now.state === 'open') return now.session;
    if (now.state === 'failed' || now.state === 'ending') throw failed(now.reason);
    if (now.state !== 'restoring') throw failed(`the session of ${build} has been ended meanwhile`);
    await sleep(pause);
  }
}

/** @param now milliseconds since the epoch */
function render({ build, host, until, nodes, step }: DebugView, now: number): string {
  const silent = nodes.filter(({ answers }) => !answers);
  return [
    table(
      ['NODE', `SHELL, ON ${host}`],
      nodes.map(({ name, command }) => [name, command]),
    ),
    ...silent.map(({ name, console }) =>
      paint('yellow', `${name} does not answer, as it may not have then; it had printed: ${console}`),
    ),
    ...(step === undefined ? [] : [`as after step ${step}`]),
    `ends in ${duration((until - now) / 1000)}; another time: sluice vm debug ${build} --for 4h; now: --end`,
  ].join('\n');
}
