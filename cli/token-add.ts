import type { Command } from 'commander';
import { addCommand, configOption, jsonOption } from './command.ts';
import { readConfiguration } from './configuration.ts';
import { failed, misused } from './fault.ts';
import { print } from './output.ts';

interface Options {
  readonly config?: string;
  readonly json?: boolean;
}

/** Adds `token add`. */
export function register(program: Command): void {
  addCommand(program, 'token add', {
    examples: ['sluice token add far-1'],
    details:
      'For whoever runs Sluice. The worker reads the file by `sluice worker --token`; whoever removes it from the data ' +
      'directory ends what the worker may do, at once. A name that has a token keeps it.',
  })
    .argument('<worker>', 'what the worker is to be called: lower-case letters, digits and -')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async (worker: string, options: Options) => {
      const { data } = readConfiguration({ file: options.config });
      const { makeWorkerToken, workerName } = await import('../infra/stack/worker-tokens.ts');
      if (!workerName.test(worker))
        throw misused(`a worker cannot be called ${JSON.stringify(worker)}: use a-z 0-9 and -`);
      const file = await makeWorkerToken(data, worker).catch((error: Error) => {
        throw failed(`no token for ${worker}: ${error.message}`);
      });
      print({ worker, file }, () => `the token of the worker ${worker} is in ${file}`, options);
    });
}
