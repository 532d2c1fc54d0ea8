import type { Command } from 'commander';
import { addCommand, configOption } from './command.ts';
import { readConfiguration } from './configuration.ts';

interface ServerOptions {
  readonly config?: string;
}

export function register(program: Command): void {
  addCommand(program, 'server', {
    examples: ['sluice server --config /etc/sluice/sluice.yaml'],
    details:
      'The page, the API, the store and the workflows, for an installation on several machines. It finds Temporal at ' +
      "the configuration's `temporal.address`, else on this machine. `sluice up` starts one by itself.",
  })
    .addOption(configOption())
    .action(serve);
}

async function serve(options: ServerOptions): Promise<void> {
  const { readStackConfig, standalone } = await import('../infra/stack/settings.ts');
  const config = readStackConfig() ?? standalone(readConfiguration({ file: options.config }));
  const { runPart } = await import('../infra/stack/part.ts');
  const { startServer } = await import('../infra/compose/server.ts');
  await runPart(() => startServer(config));
}
