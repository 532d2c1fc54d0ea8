import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { BuildView } from '../server/api/types.ts';
import { type ApiClient, addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { unavailable } from './fault.ts';
import { log, print } from './output.ts';

interface Options extends ClientOptions {
  readonly follow?: boolean;
  readonly name?: string;
}

const examples = [
  'sluice logs build-deb-8d1f0c2e3f2a9c10 --follow',
  'sluice logs build-deb-8d1f0c2e3f2a9c10 --name build.log',
];

/** Adds `logs`. */
export function register(program: Command): void {
  addClientOptions(addCommand(program, 'logs', { examples, details: 'With --json: which logs there are.' }))
    .argument('<build>', 'a build’s id, as `sluice builds` lists it')
    .option('--follow', 'as it is written, until the build ends; then its next attempt, where it was given up')
    .option('--name <file>', 'this log; without, the first one')
    .action(async (build: string, options: Options) => {
      const client = createClient(options);
      const path = `/api/builds/${encodeURIComponent(build)}`;
      if (options.json) return print((await client.get<BuildView>(path)).logs, () => '', options);
      const query = new URLSearchParams({ follow: options.follow ? '1' : '0' });
      if (options.name !== undefined) query.set('name', options.name);
      await write(client, `${path}/log?${query}`);
      if (options.follow) await followOn(client, { build, query: `${query}` });
    });
}

async function write(client: ApiClient, path: string): Promise<void> {
  try {
    for await (const text of client.stream(path)) process.stdout.write(text);
  } catch (error) {
    // What `fetch` throws where an answer breaks off; faults of ours have said what there is to say.
    if (!(error instanceof TypeError)) throw error;
    throw unavailable(`the server at ${client.url} has ended: its builds go on when it runs again; follow them then`);
  }
}

interface Followed {
  readonly build: string;
  readonly query: string;
}

/** Milliseconds that the next attempt may take to come, and between two looks for it. */
const patience = 20_000;
const pause = 500;

/** A job that gave up on its infrastructure has another attempt, a build of its own: that one is followed, too. */
async function followOn(client: ApiClient, { build, query }: Followed): Promise<void> {
  const deadline = Date.now() + patience;
  for (;;) {
    const { build: ended, attempts } = await client.get<BuildView>(`/api/builds/${encodeURIComponent(build)}`);
    if (ended.result !== 'RETRY') return;
    const next = attempts.find((one) => one.buildSet === ended.buildSet && one.attempt === ended.attempt + 1);
    if (next !== undefined) {
      log(
        `attempt ${ended.attempt} is given up (${ended.summary}); this is attempt ${next.attempt}, build ${next.id}:`,
      );
      await write(client, `/api/builds/${encodeURIComponent(next.id)}/log?${query}`);
      return followOn(client, { build: next.id, query });
    }
    if (Date.now() > deadline) {
      log(`attempt ${ended.attempt} is given up (${ended.summary}), and no other has come: see 'sluice builds'`);
      return;
    }
    await sleep(pause);
  }
}
