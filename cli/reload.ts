import type { Command } from 'commander';
import type { Problem } from '../pipelines/model/position.ts';
import { reloadedText } from '../pipelines/report/config-notice.ts';
import { pipelineErrors, problemsUnread } from '../pipelines/report/config-problems.ts';
import type { Reloaded } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { CommandError, exitStatus, misused } from './fault.ts';
import { note, print, worded } from './output.ts';

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
    const { reloaded, errors, notes } = await reload(options);
    print({ ...reloaded, errors }, () => worded(reloadedText(reloaded)), options);
    if (!options.json || errors === null) for (const line of notes) note(line);
  });
}

/** What came of it, and what people are told of the pipelines' errors, in lines. */
interface Outcome {
  readonly reloaded: Reloaded;
  /** As `config check --server` has them; null where they could not be read. */
  readonly errors: readonly Problem[] | null;
  readonly notes: readonly string[];
}

/**
 * Has the server read its configuration file again, and looks what is wrong with the pipelines: where nobody can tell,
 * the reload is done all the same.
 *
 * @throws CommandError 2 with every problem of the file and its place
 */
export async function reload(options: ClientOptions): Promise<Outcome> {
  const reloaded = await readAgain(options);
  try {
    const { errors } = await createClient(options).get<{ errors: Problem[] }>('/api/config/problems');
    return { reloaded, errors, notes: pipelineErrors(errors) };
  } catch (error) {
    return { reloaded, errors: null, notes: [problemsUnread((error as Error).message)] };
  }
}

async function readAgain(options: ClientOptions): Promise<Reloaded> {
  try {
    return await createClient(options).post<Reloaded>('/api/reload', {});
  } catch (error) {
    if (!(error instanceof CommandError) || error.status !== exitStatus.usage || options.json) throw error;
    throw misused(`${error.message}\nNothing was taken over: what runs goes on with what was read before.`);
  }
}
