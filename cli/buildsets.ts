import type { Command } from 'commander';
import type { BuildSetRecord } from '../server/api/types.ts';
import { addCommand } from './command.ts';
import { addFilters, type LookBackOptions, printList, when } from './look-back.ts';
import { duration, paint, table } from './output.ts';
import { resultSign, shortId } from './queue-tree.ts';

const examples = ['sluice buildsets', 'sluice buildsets --pipeline gate --result FAILURE --json'];

/** Adds `buildsets`. */
export function register(program: Command): void {
  addFilters(addCommand(program, 'buildsets', { examples })).action((options: LookBackOptions) =>
    printList<BuildSetRecord>('/api/buildsets', render, options),
  );
}

function render(sets: readonly BuildSetRecord[]): string {
  if (sets.length === 0) return 'There are no such build sets.';
  const rows = sets.map(({ key, startTime, endTime, pipeline, queue, project, change, patchset, result }) => {
    const [, colour] = resultSign(result ?? 'running');
    const took = endTime === null ? '' : duration((endTime - startTime) / 1000);
    const name = `${shortId(change)},${patchset}`;
    return [key, when(startTime), pipeline, queue, project, name, paint(colour, result ?? 'running'), took];
  });
  return table(['BUILDSET', 'STARTED (UTC)', 'PIPELINE', 'QUEUE', 'PROJECT', 'CHANGE', 'RESULT', 'TOOK'], rows);
}
