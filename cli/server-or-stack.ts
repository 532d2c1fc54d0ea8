import { type Command, Option } from 'commander';
import { type ApiClient, addClientOptions, type ClientOptions, createClient } from './client.ts';
import { readConfiguration } from './configuration.ts';

export interface ServerOrStackOptions extends ClientOptions {
  readonly embedded?: boolean;
}

/** The options of commands that need no server that runs already. */
export function addServerOrStackOptions(command: Command): Command {
  const embedded = new Option(
    '--embedded',
    'work without a server, on the data directory here (as where none answers)',
  );
  return addClientOptions(command).addOption(embedded);
}

/**
 * The server that does a command's work: the one that was named, or that answers and whose token is at hand.
 *
 * @returns undefined where the command does its work here
 */
export async function findServer(options: ServerOrStackOptions): Promise<ApiClient | undefined> {
  if (options.embedded) return undefined;
  const client = createClient(options);
  if (options.server !== undefined) return client;
  return client.hasToken && (await answers(client.url)) ? client : undefined;
}

/**
 * Speaks to the server; where none answers and none was named, to a stack on the configuration's data directory that
 * runs for as long as `work` does.
 *
 * @throws CommandError 3 where somebody else holds the directory
 */
export async function withServerOrStack<T>(
  options: ServerOrStackOptions,
  work: (client: ApiClient) => Promise<T>,
): Promise<T> {
  const client = createClient(options);
  if (!options.embedded && (options.server !== undefined || (await answers(client.url)))) return work(client);
  const { start } = await import('./stack.ts');
  const stack = await start(readConfiguration({ file: options.config }));
  try {
    return await work(createClient({ ...options, server: stack.url }));
  } finally {
    await stack.stop();
  }
}

/** Milliseconds after which what listens there is taken for none. */
const patience = 10_000;

async function answers(url: string): Promise<boolean> {
  return fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(patience) }).then(
    () => true,
    () => false,
  );
}
