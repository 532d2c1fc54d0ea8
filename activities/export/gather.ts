import { join } from 'node:path';
import { descriptionFile, type ExportDescription, exportVersion } from '../../pipelines/export/description.ts';
import { exportReadme } from '../../pipelines/export/readme.ts';
import { withoutSecrets } from '../../pipelines/export/withhold.ts';
import type { BuildSetInput, BuildSetRecord, StoredGraph } from '../../workflows/contract.ts';
import { describeJob } from './describe-job.ts';
import { entriesIn, measure, place } from './files.ts';
import { gatherOffered, gatherReleased, gatherSources } from './gather-content.ts';
import { type ExportDeps, NotKept } from './port.ts';

const graphFile = 'graph.json';
const keyFile = 'archive-key.asc';

/**
 * Gathers all that a build set which has ended worked with.
 *
 * @param root an empty directory; whoever shows it waits for the disk
 * @throws NotKept for what is gone
 */
export async function gatherExport(deps: ExportDeps, record: BuildSetRecord, root: string): Promise<void> {
  const stored = await readStored(deps, record);
  const view = await deps.viewOf(record.workflow);
  if (view === undefined) throw forgotten(record);
  const graph = withoutSecrets(stored.graph);
  await place(root, graphFile, JSON.stringify({ ...stored, graph }, null, 2));
  const jobs = [];
  const ended = { record, graph: stored.graph, builds: view.builds };
  for (const job of stored.graph.jobs) jobs.push(await describeJob(deps, { ...ended, job }));
  const key = await deps.archiveKey();
  if (key !== undefined) await place(root, keyFile, key);
  const { origin, ...rules } = deps.release;
  const about: Omit<ExportDescription, 'files'> = {
    version: exportVersion,
    made: new Date().toISOString(),
    buildSet: buildSetOf(record),
    graph: graphFile,
    sources: await gatherSources(deps, stored, root),
    released: await gatherReleased(deps, { stored, seen: record.released ?? {} }, root),
    archiveKey: key === undefined ? null : keyFile,
    release: { origin, rules: JSON.parse(JSON.stringify(rules)) },
    ...(await gatherOffered(deps, jobs, root)),
    platforms: platformsOf(deps, stored),
    snapshots: await deps.snapshots(),
  };
  await place(root, 'README.md', exportReadme(about));
  const files: ExportDescription['files'] = {};
  for (const { path } of await entriesIn(root)) files[path] = await measure(join(root, path));
  await place(root, descriptionFile, `${JSON.stringify({ ...about, files }, null, 2)}\n`);
}

async function readStored({ inputOf, blobs }: ExportDeps, record: BuildSetRecord): Promise<StoredGraph> {
  const input = (await inputOf(record.workflow)) as BuildSetInput | undefined;
  if (input === undefined) throw forgotten(record);
  const text = await blobs.read(input.graph.digest).catch(() => {
    throw new NotKept(`the jobs of build set ${record.key} are not kept any more: have the change checked again`);
  });
  return JSON.parse(text.toString());
}

function forgotten({ workflow }: BuildSetRecord): NotKept {
  return new NotKept(`Temporal keeps no history of ${workflow} any more`);
}

function buildSetOf(record: BuildSetRecord): ExportDescription['buildSet'] {
  const { key, tenant, pipeline, queue, project, change, patchset, changes, result, startTime, endTime } = record;
  return {
    ...{ key, tenant, pipeline, queue, project, change, patchset, changes: [...changes], result: result ?? '' },
    started: new Date(startTime).toISOString(),
    ended: new Date(endTime ?? startTime).toISOString(),
  };
}

function platformsOf({ platform }: ExportDeps, { graph }: StoredGraph): ExportDescription['platforms'] {
  const labels = graph.jobs.flatMap(({ nodeset }) => nodeset.nodes.map(({ label }) => label));
  const known = [...new Set(labels)].flatMap((label) => platform(label) ?? []);
  return Object.fromEntries(known.map((one) => [one.name, { ...one }]));
}
