import type { Command } from 'commander';
import type { BuildRecord } from '../server/api/types.ts';
import { stateOf, tookOf } from '../web/state.ts';
import { addCommand } from './command.ts';
import { addFilters, type LookBackOptions, printList, when } from './look-back.ts';
import { duration, paint, table } from './output.ts';
import { resultSign, shortId } from './queue-tree.ts';

const examples = [
  'sluice builds',
  'sluice builds --buildset 7.1-3fa9c2d1',
  'sluice builds --project tinycdb --job build-deb --result FAILURE',
];

/** Adds `builds`. */
export function register(program: Command): void {
  addFilters(addCommand(program, 'builds', { examples }))
    .option('--job <name>', 'of this job')
    .action((options: LookBackOptions) => printList<BuildRecord>('/api/builds', render, options));
}

function render(builds: readonly BuildRecord[]): string {
  if (builds.length === 0) return 'There are no such builds.';
  const rows = builds.map((build) => {
    const [, colour] = resultSign(stateOf(build));
    const milliseconds = tookOf(build);
    const took = milliseconds === undefined ? '' : duration(milliseconds / 1000);
    const change = `${shortId(build.change)},${build.patchset}`;
    const again = build.attempt > 1 ? ` ×${build.attempt}` : '';
    const job = `${build.job}${again}${build.alone ? ' (alone)' : ''}`;
    const result = paint(colour, stateOf(build));
    const { id, startTime, pipeline, buildSet, project, summary } = build;
    return [id, when(startTime), pipeline, buildSet, project, change, job, result, took, summary];
  });
  const head = ['BUILD', 'STARTED (UTC)', 'PIPELINE', 'BUILDSET', 'PROJECT', 'CHANGE', 'JOB', 'RESULT', 'TOOK'];
  return table([...head, 'SUMMARY'], rows);
}
