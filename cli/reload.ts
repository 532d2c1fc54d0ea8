import type { Command } from 'commander';
import { problemText } from '../pipelines/language/language.ts';
import type { Problem } from '../pipelines/model/position.ts';
import { reloadedText } from '../pipelines/report/config-notice.ts';
import { counted } from '../pipelines/report/words.ts';
import type { Reloaded } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { CommandError, exitStatus, misused } from './fault.ts';
import { log, print } from './output.ts';

/** Adds `reload`. */
export function register(program: Command): void {
  const command = addCommand(program, 'reload', {
    examples: ['sluice reload', 'sluice reload --json'],
    details:
      'Projects, mirrors, nodes (all but `static`) and retention hold at once; what needs a restart is named. A file ' +
      'with a mistake is refused, and what runs goes on with what was read before. SIGHUP to `sluice up` or `sluice server` does the same. Projects are ' +
      'also taken up by themselves, as soon as they are written. Errors of the pipelines are told; they refuse nothing.',
  });
  addClientOptions(command).action(async (options: ClientOptions) => {
    print(await reload(options), reloadedText, options);
    if (!options.json) for (const line of await pipelineErrors(options)) log(line);
  });
}

/** How many errors of the pipelines are told: the rest is `config check`'s. */
const told = 10;

/** What is wrong with the projects' own configuration, which a reload reads as well and does not refuse. */
async function pipelineErrors(options: ClientOptions): Promise<readonly string[]> {
  const { errors } = await createClient(options).get<{ errors: Problem[] }>('/api/config/problems');
  const wrong = errors.filter(({ severity }) => severity === 'error');
  if (wrong.length === 0) return [];
  const head = `The configuration of the pipelines has ${counted(wrong.length, 'error')} (sluice config check --server):`;
  return [head, ...wrong.slice(0, told).map(problemText)];
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
