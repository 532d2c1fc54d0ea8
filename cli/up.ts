import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import type { Command } from 'commander';
import { watchTerminal } from '../infra/stack/hangup.ts';
import { reloadedText } from '../pipelines/report/config-notice.ts';
import type { ClientOptions } from './client.ts';
import { addCommand, configOption } from './command.ts';
import { readConfiguration } from './configuration.ts';
import { duration, isInteractive, log, note, paint } from './output.ts';

interface UpOptions {
  readonly config?: string;
  readonly data?: string;
  readonly yes?: boolean;
}

export function register(program: Command): void {
  addCommand(program, 'up', {
    examples: ['sluice up', 'sluice up --data /srv/sluice'],
    details:
      'It runs in the foreground; Ctrl-C stops everything, and the next `sluice up` takes up what was going on. Killed ' +
      'processes come back. Their logs are in `log/` in the data directory. SIGHUP does what `sluice reload` does. Where this machine lacks something, it says ' +
      'what, and installs it only with --yes.',
  })
    .addOption(configOption())
    .option('--data <dir>', "data directory (default: the configuration's)")
    .option('--yes', 'install first what this machine lacks, as `sluice doctor --mend` does')
    .action(up);
}

async function up(options: UpOptions): Promise<void> {
  const config = readConfiguration({ file: options.config, data: options.data });
  const { bootstrap, requireNeeds } = await import('./bootstrap.ts');
  const { start } = await import('./stack.ts');
  await (options.yes ? bootstrap(config) : requireNeeds(config));
  const { unreadableKeys } = await import('../infra/compose/check-machines.ts');
  for (const line of await unreadableKeys(config)) log(paint('yellow', line));
  const begun = performance.now();
  const told = untilTold();
  if (isInteractive()) log('Starting Temporal, the server, the worker and the signer …');
  const since = () => duration((performance.now() - begun) / 1000);
  const stack = await start(config, (name) => {
    if (isInteractive()) log(paint('dim', `  ${name} is ready (${since()})`));
  });
  reloadWhenTold({ config: options.config, data: config.data, server: stack.url });
  log(`Ready in ${since()}. Ctrl-C stops everything.`);
  const rows = { page: stack.url, Temporal: stack.temporalUi, data: config.data };
  for (const [name, value] of Object.entries(rows)) log(`  ${name.padEnd(10)}${paint('cyan', value)}`);
  await told;
  log('Stopping; a second Ctrl-C stops at once.');
  const impatient = untilTold().then(() => process.exit(1));
  await Promise.race([stack.stop(), impatient]);
}

async function untilTold(): Promise<void> {
  const heard = new AbortController();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const ended = watchTerminal();
  const hungUp = new Promise<void>((resolve) => {
    process.on('SIGHUP', () => ended() && resolve());
  });
  await Promise.race([
    hungUp,
    ...signals.map((signal) => once(process, signal, { signal: heard.signal }).catch(() => {})),
  ]);
  heard.abort();
}

/** SIGHUP has the server read the configuration file again; what came of it is said here. */
function reloadWhenTold(options: ClientOptions): void {
  const ended = watchTerminal();
  process.on('SIGHUP', async () => {
    if (ended()) return;
    const { reload } = await import('./reload.ts');
    await reload(options).then(
      ({ reloaded, notes }) => note([reloadedText(reloaded), ...notes].join('\n')),
      (error: Error) => note(error.message),
    );
  });
}
