import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { DemoStep } from '../demo/narrator.ts';
import { createClient } from './client.ts';
import { addCommand, embeddedOption, jsonOption } from './command.ts';
import { readConfiguration } from './configuration.ts';
import { failed } from './fault.ts';
import { inQuotes, log, print, table } from './output.ts';

interface DemoOptions {
  readonly keep?: boolean;
  readonly json?: boolean;
  readonly dir: string;
  readonly review: 'git' | 'gerrit';
  readonly nodes?: 'docker' | 'vm';
}

export function register(program: Command): void {
  addCommand(program, 'demo', {
    examples: [
      'sluice demo',
      'sluice demo --keep',
      'sluice demo --review gerrit',
      'sluice demo --nodes vm',
      'sluice demo --json',
    ],
    details:
      'Real packages go from a pushed change through the gate into signed repositories, onto two mirrors, and into clean ' +
      'systems by apt-get and dnf. With --keep everything stays up afterwards: `sluice down --purge` removes it.',
  })
    .option('--keep', 'leave everything up at the end')
    .addOption(
      new Option('--review <system>', 'where changes are reviewed: Sluice’s own Git host, or a Gerrit that is fetched')
        .choices(['git', 'gerrit'])
        .default('git'),
    )
    .addOption(
      new Option('--nodes <kind>', 'what a system test runs on; vm where QEMU and 4 GiB of memory are there').choices([
        'docker',
        'vm',
      ]),
    )
    .option('--dir <dir>', 'where the demo keeps its things; emptied first', join('.sluice', 'demo'))
    .addOption(embeddedOption())
    .addOption(jsonOption())
    .action(demo);
}

async function demo(options: DemoOptions): Promise<void> {
  const root = resolve(options.dir);
  const { bootstrap } = await import('./bootstrap.ts');
  await bootstrap(readConfiguration({ data: join(root, 'data') }));
  const { createNarrator, StoryEnded } = await import('../demo/narrator.ts');
  const { runDemo, endDemo } = await import('../demo/run.ts');
  const { hasMachines } = await import('../demo/machines.ts');
  const nodes = options.nodes ?? (hasMachines() ? 'vm' : 'docker');
  const narrator = createNarrator((text) => process.stderr.write(inQuotes(text)));
  try {
    const { review } = options;
    await runDemo(root, { narrator, review, nodes, connect: (config) => createClient({ config }) });
  } catch (error) {
    if (!(error instanceof StoryEnded)) throw error;
  } finally {
    if (!options.keep) await endDemo(root);
  }
  const { steps } = narrator;
  const ok = steps.every((step) => step.ok);
  print({ steps, ok }, () => table(['', 'step', 'time', 'what came of it'], steps.map(tableRow)), options);
  if (options.keep)
    log(
      `What was started stays up: look at the page, then \`sluice down --purge --config ${join(root, 'sluice.yaml')}\`.`,
    );
  if (!ok) throw failed(`the demo ended early: the logs are in ${join(root, 'data', 'log')}`);
}

function tableRow({ ok, id, seconds, reason }: DemoStep): string[] {
  return [ok ? '✓' : '✗', id, `${seconds.toFixed(1)} s`, reason];
}
