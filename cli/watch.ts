import { once } from 'node:events';
import type { Command } from 'commander';
import type {
  BuildRecord,
  BuildSetRecord,
  ConfigNotice,
  MirrorRecord,
  QueueSnapshot,
  ReleaseRecord,
  StatusView,
} from '../server/api/types.ts';
import { type ApiClient, addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { readEvents, type StreamEvent } from './event-stream.ts';
import { unavailable } from './fault.ts';
import { isInteractive, paint } from './output.ts';
import { buildLine, renderQueues, resultSign, shortId } from './queue-tree.ts';

const examples = ['sluice watch', 'sluice watch --json | jq .data.summary'];

/** Adds `watch`: a picture that is kept up to date in a terminal, elsewhere a line for each thing that happens. */
export function register(program: Command): void {
  addClientOptions(addCommand(program, 'watch', { examples })).action(async (options: ClientOptions) => {
    const client = createClient(options);
    const events = readEvents(client.stream('/api/events'));
    if (options.json) {
      const status = await client.get<StatusView>('/api/status');
      await write(jsonLine({ type: 'status', data: JSON.stringify(status) }));
      for await (const event of events) await write(jsonLine(event));
    } else if (isInteractive()) await drawQueues(client, events);
    else for await (const event of events) await write(line(event));
    throw unavailable(`the server at ${client.url} has ended`);
  });
}

/** One JSON document a line: a stream has no end to wait for. */
function jsonLine({ type, data }: StreamEvent): string {
  return `{"type":${JSON.stringify(type)},"data":${data}}\n`;
}

/** Waits while nobody reads what was printed: the server then keeps the latest of everything, instead of us all. */
async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** Draws at most five times a second, and each second for the clocks. */
async function drawQueues(client: ApiClient, events: AsyncIterable<StreamEvent>): Promise<void> {
  const draw = async () => {
    const view = await client.get<StatusView>('/api/status');
    const hint = paint('dim', `${client.url} · Ctrl-C ends`);
    process.stdout.write(`\u001b[2J\u001b[H${renderQueues(view)}\n\n${hint}\n`);
  };
  takeScreen();
  await draw();
  let failure: unknown;
  const clock = setInterval(() => {
    draw().catch((error) => {
      failure = error;
    });
  }, 1_000);
  try {
    for await (const { type } of events) {
      if (failure) throw failure;
      if (type === 'queue' || type === 'configuration') await draw();
    }
  } finally {
    clearInterval(clock);
  }
}

/** Draws on a screen of its own: what was in the terminal before is there again afterwards, however we end. */
function takeScreen(): void {
  process.stdout.write('\u001b[?1049h');
  process.once('exit', () => process.stdout.write('\u001b[?1049l'));
  process.once('SIGINT', () => process.exit(0));
  process.once('SIGTERM', () => process.exit(0));
}

function line({ type, data }: StreamEvent): string {
  const text = lines[type]?.(JSON.parse(data) as never);
  return text === undefined ? '' : `${new Date().toISOString().slice(11, 19)} ${text}\n`;
}

const lines: Readonly<Record<string, (record: never) => string>> = {
  build: (record: BuildRecord) => buildLine(record),
  'build-set': ({ result, pipeline, project, change }: BuildSetRecord) => {
    const [symbol, colour] = resultSign(result ?? 'running');
    return `${paint(colour, symbol)} ${pipeline} ${project} ${shortId(change)} ${result ?? 'started'}`;
  },
  queue: ({ pipeline, queue, items }: QueueSnapshot) => `  ${pipeline} ${queue}: ${items.length} in the queue`,
  release: ({ project, state, summary }: ReleaseRecord) => `  release of ${project}: ${state} ${summary}`,
  dropped: ({ reason }: { readonly reason: string }) => `  ${reason}`,
  configuration: (notice: ConfigNotice | null) =>
    `  ${notice?.text ?? 'What runs is what the configuration file says.'}`,
  mirror: ({ set, outcome, snapshot }: MirrorRecord) => `  mirror ${set}: ${outcome} ${snapshot ?? ''}`,
};
