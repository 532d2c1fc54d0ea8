import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkout } from '../../infra/bootstrap/find.ts';
import { stageWorld } from '../../test/activities/install/stage.ts';
import { openArchive } from './archive.ts';
import { type ListedSource, readList } from './list.ts';
import { limits, summarize } from './summary.ts';
import { renderTable } from './table.ts';
import { type SourceResult, trySource } from './try-source.ts';

const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true }, resume: { type: 'boolean' }, table: { type: 'boolean' } },
});
const root = join(checkout, '.sluice', 'sources');
const results = join(root, 'results');
const resultOf = ({ name }: ListedSource) => join(results, `${name}.json`);

async function measure(sources: readonly ListedSource[], list: readonly ListedSource[]): Promise<void> {
  const ends: (() => unknown)[] = [];
  try {
    const world = await stageWorld({ after: (end: unknown) => void ends.push(end as () => unknown) });
    const archive = await openArchive(join(root, 'archive'));
    const platform = world.platform('debian-12');
    let untimed = Promise.resolve();
    for (const source of sources) {
      const directory = join(root, 'work', source.name);
      const first = list.indexOf(source) % 2 === 0 ? 'sluice' : 'debian';
      // A source without a result is tried again by --resume.
      const told = (error: unknown) => void process.stderr.write(`${source.name}: ${error}\n`);
      const rest = await trySource(source, { world, archive, platform, directory, first }).catch(told);
      await untimed;
      if (rest)
        untimed = rest()
          .then((result) => keep(source, result))
          .catch(told);
    }
    await untimed;
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

async function keep(source: ListedSource, result: SourceResult): Promise<void> {
  await writeFile(resultOf(source), `${JSON.stringify(result, null, 2)}\n`);
  process.stderr.write(`${line(result)}\n`);
}

function line({ name, version, same, differences, times }: SourceResult): string {
  const ratio = (times.sluice / times.debian).toFixed(2);
  return `${name} ${version}: ${same ? 'same' : differences[0]}; ${times.sluice.toFixed(1)} s, ${ratio} times`;
}

async function readResults(list: readonly ListedSource[]): Promise<readonly SourceResult[]> {
  const there = await readdir(results);
  const known = list.filter(({ name }) => there.includes(`${name}.json`));
  return Promise.all(known.map(async (one) => JSON.parse(await readFile(resultOf(one), 'utf8')) as SourceResult));
}

await mkdir(results, { recursive: true });
const list = await readList();
const asked = values.only === undefined ? list : list.filter(({ name }) => values.only?.includes(name));
const done = values.resume ? (await readResults(list)).map(({ name }) => name) : [];
if (!values.table)
  await measure(
    asked.filter(({ name }) => !done.includes(name)),
    list,
  );
if (values.only === undefined) {
  const all = await readResults(list);
  const summary = summarize(all, list.length);
  await writeFile(join(checkout, 'docs', 'sources.md'), renderTable(all, summary));
  console.log(JSON.stringify({ bench: 'sources', ...summary, load: loadavg()[0] ?? 0, limits, results: all }));
  process.exitCode = summary.ok ? 0 : 1;
}
