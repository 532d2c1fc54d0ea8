import type { Command } from 'commander';
import { reloadedText } from '../pipelines/report/config-notice.ts';
import type { Reloaded } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { CommandError, exitStatus, misused } from './fault.ts';
import { print } from './output.ts';

/** Adds `reload`. */
export function register(program: Command): void {
  const command = addCommand(program, 'reload', {
    examples: ['sluice reload', 'sluice reload --json'],
    details:
      'Projects, mirrors, nodes and retention hold at once; what needs a restart is named. A file with a mistake is ' +
      'refused, and what runs goes on with what was read before. SIGHUP to `sluice up` or `sluice server` does the same. Projects are ' +
      'also taken up by themselves, as soon as they are written.',
  });
  addClientOptions(command).action(async (options: ClientOptions) => {
    print(await reload(options), reloadedText, options);
  });
}

/**
 * Has the server read its configuration file again.
 *
 * @throws CommandError 2 with every problem of the file and its place
 */
export async function reload(options: ClientOptions): Promise<Reloaded> {
  try {
    return await createClient(options).post<Reloaded>('/api/reload', {});
  } catch (error) {
    if (!(error instanceof CommandError) || error.status !== exitStatus.usage || options.json) throw error;
    throw misused(`${error.message}\nNothing was taken over: what runs goes on with what was read before.`);
  }
}
