import type { Command } from 'commander';
import type { ReleaseRecord } from '../server/api/types.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { parseLimit, printRecords, sayMore, when } from './look-back.ts';
import { duration, type Paint, paint, table } from './output.ts';
import { shortId } from './queue-tree.ts';

interface Options extends ClientOptions {
  readonly project?: string;
  readonly change?: string;
  readonly build?: string;
  readonly limit: number;
}

const examples = [
  'sluice releases',
  'sluice releases --project tinycdb --limit 100',
  'sluice releases --build build-deb-0f5b2c9d7a1e4c33 --json',
];

/** Adds `releases`. */
export function register(program: Command): void {
  addClientOptions(addCommand(program, 'releases', { examples }))
    .option('--project <name>', 'of this project')
    .option('--change <id>', 'of this change')
    .option('--build <id>', 'of the packages that this build made')
    .option('--limit <number>', 'at most so many, newest first', parseLimit, 20)
    .action(async (options: Options) => {
      const { project, change, build, limit } = options;
      const { records, more } = await createClient(options).list<ReleaseRecord>(
        '/api/releases',
        { project, change, build },
        limit,
      );
      printRecords(records, render, options);
      if (more && !options.json) sayMore(limit);
    });
}

const colours: Readonly<Record<ReleaseRecord['state'], Paint>> = {
  ...{ running: 'blue', waiting: 'yellow', published: 'green' },
  ...{ failed: 'red', excluded: 'dim', reverted: 'yellow', superseded: 'dim' },
};

function render(releases: readonly ReleaseRecord[]): string {
  if (releases.length === 0) return 'There are no such releases.';
  const rows = releases.map(({ startTime, endTime, project, change, patchset, state, origin, summary, ...of }) => {
    const took = endTime === null ? '' : duration((endTime - startTime) / 1000);
    const name = `${shortId(change)},${patchset}`;
    return [when(startTime), project, name, paint(colours[state], state), origin ?? '', placeOf(of), took, summary];
  });
  return table(['STARTED (UTC)', 'PROJECT', 'CHANGE', 'STATE', 'ORIGIN', 'REPOSITORY', 'TOOK', 'SUMMARY'], rows);
}

/** The released repository that it went into; none where nothing was released. */
function placeOf({ packages, repositories }: Pick<ReleaseRecord, 'packages' | 'repositories'>): string {
  const format = packages[0]?.format;
  if (format === undefined) return '';
  return repositories.find((one) => one.format === format)?.name ?? format;
}
