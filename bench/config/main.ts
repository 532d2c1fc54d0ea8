import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  buildLayout,
  type ConfigSource,
  defaultTenant,
  type Layout,
  type ParsedFile,
  type ProjectSource,
  parseConfigFile,
} from '../../pipelines/language/language.ts';
import { zuulPython } from '../zuul-python.ts';
import { fullSize, generateConfig } from './generate.ts';

const ROUNDS = 7;
const CHECKED_LINES = 14_000;

/** Middle of the measurements, in seconds. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

function timed<T>(work: () => T): { seconds: number; result: T } {
  const start = performance.now();
  const result = work();
  return { seconds: (performance.now() - start) / 1000, result };
}

function projectsOf(sources: readonly ConfigSource[]): ProjectSource[] {
  const trusted = new Map(sources.map((source) => [source.project, source.trusted]));
  const branches = ['master'];
  return [...trusted].map(([name, isTrusted]) => ({
    name,
    connection: 'gerrit',
    trusted: isTrusted,
    branches,
    defaultBranch: 'master',
  }));
}

function build(projects: readonly ProjectSource[], files: readonly ParsedFile[]): Layout {
  return buildLayout({ tenant: defaultTenant, projects, files });
}

/** Whole loads, and reloads that read one file anew. */
function measureSluice(sources: readonly ConfigSource[]) {
  const projects = projectsOf(sources);
  const loads = Array.from({ length: ROUNDS }, () => timed(() => build(projects, sources.map(parseConfigFile))));
  const files = sources.map(parseConfigFile);
  const reloads = Array.from({ length: ROUNDS }, (_, round) => {
    const index = sources.length - 1 - round;
    const source = sources[index];
    if (source === undefined) throw new Error('too few files to reload one');
    const changed = { ...source, text: `${source.text}- job: {name: added-${round}}\n` };
    return timed(() => build(projects, files.with(index, parseConfigFile(changed)))).seconds;
  });
  const layout = loads[0]?.result;
  return {
    first: loads[0]?.seconds ?? Number.NaN,
    warm: median(loads.slice(2).map(({ seconds }) => seconds)),
    reload: median(reloads.slice(2)),
    jobs: layout?.jobs.size ?? 0,
    errors: layout?.problems.filter(({ severity }) => severity === 'error').length ?? 0,
  };
}

async function measureZuul(sources: readonly ConfigSource[], directory: string) {
  const python = await zuulPython();
  const list = join(directory, 'files.json');
  writeFileSync(list, JSON.stringify(sources));
  const script = join(import.meta.dirname, 'zuul_load.py');
  const options = { cwd: directory, encoding: 'utf8', maxBuffer: 1 << 26 } as const;
  const { seconds, jobs, errors } = JSON.parse(execFileSync(python, [script, list, '3'], options)) as {
    seconds: number[];
    jobs: number;
    errors: number;
  };
  if (errors > 0) throw new Error(`Zuul finds ${errors} errors in the generated configuration`);
  return { warm: Math.min(...seconds), jobs };
}

/** A new process each time: what a person waits for. */
function measureColdCheck(sources: readonly ConfigSource[], directory: string): { lines: number; seconds: number } {
  const root = join(directory, 'org', 'checked');
  let lines = 0;
  for (const { project, path, text } of sources) {
    if (project !== 'config' || lines >= CHECKED_LINES) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    lines += countLines(text);
  }
  const command = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');
  const runs = Array.from({ length: 3 }, () =>
    timed(() => spawnSync(process.execPath, [command, 'config', 'check', root, '--json'], { encoding: 'utf8' })),
  );
  for (const { result } of runs) if (result.status !== 0) throw new Error(`config check failed: ${result.stderr}`);
  return { lines, seconds: median(runs.map(({ seconds }) => seconds)) };
}

function countLines(text: string): number {
  return text.split('\n').length - 1;
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-config-'));
  try {
    const sources = generateConfig(fullSize);
    const sluice = measureSluice(sources);
    const zuul = process.argv.includes('--without-zuul') ? null : await measureZuul(sources, directory);
    const result = {
      bench: 'config',
      lines: sources.reduce((sum, { text }) => sum + countLines(text), 0),
      files: sources.length,
      sluice,
      zuul,
      ratioToZuul: zuul === null ? null : sluice.warm / zuul.warm,
      ratioOfReload: sluice.reload / sluice.warm,
      coldCheck: measureColdCheck(sources, directory),
    };
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

await main();
