import type { Command } from 'commander';
import type { BuildRecord } from '../server/api/types.ts';
import { createClient } from './client.ts';
import { addCommand } from './command.ts';
import { addFilters, filterOf, type LookBackOptions, printRecords, requireBuildSet, when } from './look-back.ts';
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
    .action(async (options: LookBackOptions) => {
      const client = createClient(options);
      await requireBuildSet(client, options);
      printRecords(await client.get<BuildRecord[]>('/api/builds', filterOf(options)), render, options);
    });
}

function render(builds: readonly BuildRecord[]): string {
  const rows = builds.map((build) => {
    const [, colour] = resultSign(build.result);
    const took = build.endTime === null ? '' : duration((build.endTime - build.startTime) / 1000);
    const change = `${shortId(build.change)},${build.patchset}`;
    const again = build.attempt > 1 ? ` ×${build.attempt}` : '';
    const job = `${build.job}${again}${build.alone ? ' (alone)' : ''}`;
    const result = paint(colour, build.result ?? 'running');
    const { id, startTime, pipeline, buildSet, project, summary } = build;
    return [id, when(startTime), pipeline, buildSet, project, change, job, result, took, summary];
  });
  const head = ['BUILD', 'STARTED (UTC)', 'PIPELINE', 'BUILDSET', 'PROJECT', 'CHANGE', 'JOB', 'RESULT', 'TOOK'];
  return table([...head, 'SUMMARY'], rows);
}
