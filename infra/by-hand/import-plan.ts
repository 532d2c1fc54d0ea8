import { join } from 'node:path';
import { checkExport } from '../../activities/export/check.ts';
import { BadExport, type ExportDescription } from '../../pipelines/export/description.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import { type HandImportResult, importByHand, lacksOf, type PlannedJob, planOf } from './import.ts';
import { type ImportHere, machinesHere, unpreparedIn } from './import-here.ts';
import { type CheckedExport, checkSources, readJobs } from './import-place.ts';

/** The installation that an export is run in. */
export interface ImportInto {
  /** Its data directory. */
  readonly data: string;
  readonly platforms: readonly Platform[];
  readonly secrets: ImportHere['secrets'];
  /** Archives that virtual machines reach besides those of their platforms. */
  readonly mirrors: readonly string[];
  /** The workflow for which all is lent; absent: none, and what a killed command leaves is nobody's. */
  readonly holder?: string | undefined;
}

/** An export that can be run here. */
export interface ReadyImport {
  readonly of: CheckedExport;
  readonly into: ImportInto;
  readonly here: ImportHere;
  /** The platforms of its jobs. */
  readonly needed: readonly Platform[];
  /** What of them is configured otherwise here: results may differ for that. */
  readonly notes: readonly string[];
}

/** What an import would do. */
export interface ImportRehearsal {
  readonly buildSet: ExportDescription['buildSet'];
  readonly jobs: readonly PlannedJob[];
  readonly lacks: readonly string[];
  readonly notes: readonly string[];
}

/** @throws BadExport for one that is not as it says. */
export async function readExport(directory: string): Promise<CheckedExport> {
  return readJobs(directory, await checkExport(directory));
}

/** @throws BadExport that names every platform which is not there, and what it was */
export async function readyImport(of: CheckedExport, into: ImportInto): Promise<ReadyImport> {
  const known = new Map(into.platforms.map((platform) => [platform.name, platform]));
  const needed = platformsOf(of, known);
  const unprepared = await unpreparedIn(into.data, needed);
  const here = { platform: (label: string) => known.get(label), secrets: into.secrets, unprepared };
  return { of, into, here, needed, notes: differences(of, known) };
}

/** @throws BadExport for sources that are not as it says */
export async function rehearseImport({ of, here, notes }: ReadyImport): Promise<ImportRehearsal> {
  await checkSources(of);
  return { buildSet: of.description.buildSet, jobs: planOf(of, here), lacks: lacksOf(of, here), notes };
}

export interface ImportRun {
  /** How many jobs run at once. */
  readonly slots: number;
  readonly keep: boolean;
  /** Where it works; absent: `imports/` in the data directory. */
  readonly imports?: string;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

/** @throws BadExport, EngineUnavailable */
export function runImport({ of, into, here, needed, notes }: ReadyImport, run: ImportRun): Promise<HandImportResult> {
  for (const line of notes) run.onProgress(line);
  const machines = (door: () => Promise<string>) => machinesHere({ ...into, platforms: needed }, door);
  return importByHand({ of, here, machines, imports: join(into.data, 'imports'), ...run });
}

function platformsOf({ description }: CheckedExport, known: ReadonlyMap<string, Platform>): readonly Platform[] {
  const labels = [...new Set(description.jobs.flatMap((job) => job.labels))];
  const missing = labels.filter((label) => !known.has(label));
  if (missing.length > 0) {
    const lines = missing.map((label) => {
      const was = description.platforms[label];
      const hint = was === undefined ? '' : `; it was ${JSON.stringify(was)}`;
      return `no platform is called ${JSON.stringify(label)}: give it in sluice.yaml's platforms${hint}`;
    });
    throw new BadExport(lines.join('\n'));
  }
  return labels.flatMap((label) => known.get(label) ?? []);
}

function differences({ description }: CheckedExport, known: ReadonlyMap<string, Platform>): readonly string[] {
  return Object.entries(description.platforms).flatMap(([name, was]) => {
    const is = known.get(name) as Readonly<Record<string, unknown>> | undefined;
    const keys = Object.keys(was).filter((key) => JSON.stringify(is?.[key]) !== JSON.stringify(was[key]));
    return keys.length === 0 || is === undefined ? [] : [`${name} is configured otherwise here: ${keys.join(', ')}`];
  });
}
