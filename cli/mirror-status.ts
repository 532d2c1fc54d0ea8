import type { Command } from 'commander';
import type { MirrorStatus } from '../activities/mirror/inspect.ts';
import { addCommand, configOption, jsonOption } from './command.ts';
import { failed } from './fault.ts';
import { type MirrorOptions, openSet, openSets, orUnavailable, renderResult } from './mirror.ts';
import { print } from './output.ts';

/** Adds `mirror status`. */
export function register(program: Command): void {
  addCommand(program, 'mirror status', {
    examples: ['sluice mirror status', 'sluice mirror status deb --json'],
    details: 'Without a set: all of them; with --json a list then. An interrupted transaction is ended first.',
  })
    .argument('[set]', 'a set of `mirrors:` in the configuration')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async (name: string | undefined, options: MirrorOptions) => {
      const { mirrorStatus } = await import('../activities/mirror/inspect.ts');
      const { sets, context } = openSets(options);
      const chosen = name === undefined ? sets : [openSet(name, options).set];
      const all = await orUnavailable(Promise.all(chosen.map((set) => mirrorStatus(set, context))));
      print(name === undefined ? all : all[0], () => all.map(renderStatus).join('\n\n'), options);
      if (all.some(({ outcome }) => outcome !== 'unchanged')) throw failed();
    });
}

function renderStatus(status: MirrorStatus): string {
  const lines = Object.entries(status.hosts).flatMap(([name, { links, snapshots, lock }]) => [
    ...Object.entries(links).map(([path, text]) => `${name}: ${path} -> ${text}`),
    `${name}: ${snapshots.length} snapshots${lock === null ? '' : `, locked by ${lock.holder}`}`,
  ]);
  const paused = status.paused === null ? [] : [`paused since ${new Date(status.paused).toISOString()}`];
  if (status.queued) paused.push('a sync waits for it to be resumed');
  return [renderResult(status), ...paused, ...lines].join('\n');
}
