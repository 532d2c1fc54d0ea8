import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { systemReason } from '../activities/files/system-reason.ts';
import { readShipped } from '../activities/layout/shipped.ts';
import type { Problem } from '../pipelines/model/position.ts';
import { counted } from '../pipelines/model/words.ts';
import type { Scenario, ScenarioFile, SimulationResult } from '../pipelines/simulate/scenario.ts';
import { parseScenario, simulate } from '../pipelines/simulate/simulate.ts';
import { type Mood, timeline } from '../pipelines/simulate/timeline.ts';
import { addCommand, jsonOption } from './command.ts';
import { failed, misused } from './fault.ts';
import { type Paint, paint, print, worded } from './output.ts';

const examples = ['sluice simulate scenarios/*.yaml', 'sluice simulate gate.yaml --json'];

/** Adds `simulate`. */
export function register(program: Command): void {
  addCommand(program, 'simulate', {
    examples,
    details: 'Runs scenario files in virtual time, draws what happens, and checks what they expect.',
  })
    .addOption(jsonOption())
    .argument('<file...>', 'scenario files')
    .action(async (files: readonly string[], { json }: { readonly json?: boolean }) => {
      const shipped = await readShipped();
      const runs = files.map((file) => run(file, shipped));
      const results = runs.flatMap(({ result }) => result ?? []);
      const data = files.length > 1 ? results : results[0];
      if (data !== undefined) print(data, () => results.map(draw).join('\n'), { json });
      const problems = runs.flatMap((one) => one.problems);
      if (problems.length > 0) throw misused(problems.join('\n'));
      if (results.some(({ ok }) => !ok)) throw failed(json ? '' : summary(results));
    });
}

interface Run {
  readonly result?: SimulationResult;
  readonly problems: readonly string[];
}

function run(path: string, shipped: readonly ScenarioFile[]): Run {
  try {
    const parsed = parseScenario(readFileSync(path, 'utf8'), path);
    if ('problems' in parsed) return { problems: parsed.problems.map(problemLine) };
    return { result: simulateAt(parsed.scenario, path, shipped), problems: [] };
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    const { path: unread = path } = error as NodeJS.ErrnoException;
    const which = unread === path ? '' : `${unread} `;
    return { problems: [`${path}:1:1: ${which}cannot be read: ${systemReason(error as Error)}`] };
  }
}

function simulateAt(scenario: Scenario, path: string, shipped: readonly ScenarioFile[]): SimulationResult {
  return simulate(scenario, {
    readConfig(part) {
      if (part.kind === 'defaults') return shipped;
      return readConfiguration(part.at, resolve(dirname(path), part.at.path));
    },
  });
}

function problemLine({ path, line, column, message }: Problem): string {
  return `${path}:${line}:${column}: ${message}`;
}

/** A file, or the files of a repository: the first of the places where a repository keeps its configuration. */
function readConfiguration(at: Omit<ScenarioFile, 'text'>, path: string): readonly ScenarioFile[] {
  const place = ['zuul.yaml', 'zuul.d', '.zuul.yaml', '.zuul.d'].map((name) => join(path, name)).find(existsSync);
  return yamlFiles(statSync(path).isDirectory() ? (place ?? path) : path).map((file) => ({
    ...at,
    path: file,
    text: readFileSync(file, 'utf8'),
  }));
}

function yamlFiles(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .map((name) => join(path, name))
    .flatMap((one) => (statSync(one).isDirectory() || one.endsWith('.yaml') ? yamlFiles(one) : []));
}

const colours: Readonly<Record<Mood, Paint>> = { title: 'bold', good: 'green', bad: 'red', gone: 'gray', quiet: 'dim' };

function draw(result: SimulationResult): string {
  const width = process.stdout.columns || 100;
  const configErrors = result.configErrors.map((one) => ({ ...one, message: worded(one.message) }));
  return timeline({ ...result, configErrors }, { width, paint: (mood, text) => paint(colours[mood], text) });
}

function summary(results: readonly SimulationResult[]): string {
  const bad = results.filter(({ ok }) => !ok);
  return `${bad.length} of ${counted(results.length, 'scenario')} did not go as expected`;
}
