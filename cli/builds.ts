import type { Command } from 'commander';
import type { BuildRecord } from '../server/api/types.ts';
import { createClient } from './client.ts';
import { addCommand } from './command.ts';
import { addFilters, filterOf, type LookBackOptions, when } from './look-back.ts';
import { duration, paint, print, table } from './output.ts';
import { resultSign, shortId } from './queue-tree.ts';

const examples = ['sluice builds', 'sluice builds --project tinycdb --job deb-build --result FAILURE'];

/** Adds `builds`. */
export function register(program: Command): void {
  addFilters(addCommand(program, 'builds', { examples }))
    .option('--job <name>', 'of this job')
    .action(async (options: LookBackOptions) => {
      print(await createClient(options).get<BuildRecord[]>('/api/builds', filterOf(options)), render, options);
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
    return [build.id, when(build.startTime), build.pipeline, build.project, change, job, result, took, build.summary];
  });
  return table(['BUILD', 'STARTED (UTC)', 'PIPELINE', 'PROJECT', 'CHANGE', 'JOB', 'RESULT', 'TOOK', 'SUMMARY'], rows);
}
