import type { Command } from 'commander';
import { addCommand, configOption } from './command.ts';
import { readConfiguration } from './configuration.ts';
import { misused } from './fault.ts';

interface WorkerOptions {
  readonly config?: string;
  readonly queues: string;
}

export function register(program: Command): void {
  addCommand(program, 'worker', {
    examples: ['sluice worker --queues build-amd64', 'sluice worker --queues sign'],
    details:
      'Queues are `build-ARCH` for jobs on this machine, and `sign` for signing, best as a user of its own. It finds ' +
      "Temporal at the configuration's `temporal.address`, else on this machine. `sluice up` starts workers by itself.",
  })
    .requiredOption('--queues <names>', 'task queues, separated by commas')
    .addOption(configOption())
    .action(work);
}

async function work(options: WorkerOptions): Promise<void> {
  const { readStackConfig, standalone } = await import('../infra/stack/settings.ts');
  const config = readStackConfig() ?? standalone(readConfiguration({ file: options.config }));
  const { startWorkers, workerQueues } = await import('../infra/compose/workers.ts');
  const queues = options.queues.split(',').map((queue) => queue.trim());
  const unknown = queues.filter((queue) => !workerQueues().includes(queue));
  if (unknown.length > 0)
    throw misused(`no worker serves ${unknown.join(', ')}: there are ${workerQueues().join(', ')}`);
  const { runPart } = await import('../infra/stack/part.ts');
  await runPart(() => startWorkers(config, queues));
}
