import { existsSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { offeredFiles } from '../../pipelines/model/artifact.ts';
import type { Artifact } from '../../pipelines/model/job.ts';
import { type Platform, providerOf } from '../../pipelines/model/platform.ts';
import { counted } from '../../pipelines/model/words.ts';
import type { TestCase } from '../../pipelines/report/junit.ts';
import { parseScenario } from '../../pipelines/systest/parse-scenario.ts';
import { isPlaybookStep, type Scenario } from '../../pipelines/systest/scenario.ts';
import type { StageInput, StageResult } from '../../workflows/contract.ts';
import { caseArtifacts } from '../install/case-artifacts.ts';
import { namesIn, sourceFiles } from '../install/exercise.ts';
import { sourceDirectory } from '../install/place-scripts.ts';
import { repositoriesFor, testRepositories } from '../install/repositories.ts';
import { isLate, timedOut } from '../late.ts';
import type { Node } from '../nodes/packages/node.ts';
import type { StageContext, StageRunner } from '../ports.ts';
import { readManifest } from '../storage/manifest.ts';
import { NetworkCapture } from './capture.ts';
import { installTogether } from './default-scenario.ts';
import { type Pair, readApart } from './exclusive.ts';
import { type LaboratoryDeps, openLaboratory } from './laboratory.ts';
import { nodeRecords, tellConsoles } from './node-records.ts';
import { runScenarios } from './run-scenario.ts';

/** The same world as the install stage's, and where playbooks run. */
export type SystestStageDeps = LaboratoryDeps;

/**
 * Runs the project's scenarios over the job's nodes, with the repositories of this change and of all ahead of it.
 * Without a scenario, every package of every repository is installed together on the first node and looked at.
 */
export function createSystestStage(deps: SystestStageDeps): StageRunner {
  return async (input, context) => {
    const own = testRepositories(input.parents)[0];
    const first = input.nodes[0];
    if (own === undefined || first === undefined) {
      return { result: 'FAILURE', summary: 'no job before this one made a test repository', artifacts: [] };
    }
    const manifest = await readManifest(deps.store, own.metadata.manifest);
    const root = await mkdtemp(join(context.workdir, 'root-'));
    const tree = join(root, sourceDirectory);
    await mkdir(tree, { recursive: true });
    await deps.sources(manifest.source, tree, context.signal);
    const plan = await readScenarios(deps, input, tree);
    if (plan.problems.length > 0) return { result: 'FAILURE', summary: plan.problems.join('; '), artifacts: [] };
    const { names, apart } = await everyPackage(deps, { input, context, platform: deps.platform(first.label) });
    const some = plan.scenarios.length > 0;
    const started: Node[] = [];
    const cases: TestCase[] = [];
    const capture = new NetworkCapture(deps.store, context);
    const keep = async () => [...(await capture.end()), ...(await nodeRecords(deps.store, started, context))];
    try {
      const plays = plan.scenarios.some(hasPlaybook);
      const laboratory = await openLaboratory(deps, { input, context, root, plays, packages: names, started });
      const heard = isHeard(input, plan.scenarios) ? capture.listenIn(laboratory) : laboratory;
      if (some) await runScenarios(heard, plan.scenarios, { packages: names, cases });
      else {
        if (input.vars.capture === true)
          context.log.write('network.pcap is not kept: without a scenario nodes send each other nothing\n');
        await installTogether(laboratory, { names, apart }, cases);
      }
    } catch (error) {
      if (isLate(context)) return timedOut(input, [...(await caseArtifacts(deps.store, cases)), ...(await keep())]);
      await tellConsoles(context.log, started);
      await capture.endWithout();
      throw error;
    }
    return report(deps, { cases, apart: some ? asked(plan.scenarios, apart) : apart, records: await keep() });
  };
}

/** Whether the job or one of its scenarios wants to have what the nodes send each other. */
function isHeard({ vars }: StageInput, scenarios: readonly Scenario[]): boolean {
  return vars.capture === true || scenarios.some(({ capture }) => capture);
}

/** The scenarios that `vars.scenario` names (one name or a list), else all in `sluice/systest/`. */
async function readScenarios({ platform }: SystestStageDeps, { vars, nodes }: StageInput, tree: string) {
  const there = (await namesIn(tree, 'sluice/systest')).filter((name) => /\.ya?ml$/.test(name));
  const chosen = [vars.scenario ?? []].flat().map((name) => `${String(name)}.yaml`);
  const problems = chosen
    .filter((name) => !there.includes(name))
    .map((name) => `sluice/systest/${name}: there is no such scenario`);
  const scenarios: Scenario[] = [];
  const read = sourceFiles(tree);
  const known = {
    nodes: nodes.map(({ name }) => name),
    containers: nodes.filter(({ label }) => providerOf(platform(label)) === 'docker').map(({ name }) => name),
    has: (path: string) => existsSync(join(tree, path)),
  };
  for (const file of (chosen.length > 0 ? chosen : there.sort()).filter((name) => there.includes(name))) {
    const path = `sluice/systest/${file}`;
    const reading = parseScenario(path, (await read(path)) ?? '', known);
    if (reading.ok) scenarios.push(reading.scenario);
    else problems.push(...reading.problems);
  }
  return { scenarios, problems };
}

function hasPlaybook({ deploy, steps }: Scenario): boolean {
  return [...deploy, ...steps].some(isPlaybookStep);
}

/** Those pairs that a scenario wants on one node all the same. */
function asked(scenarios: readonly Scenario[], apart: readonly Pair[]): readonly Pair[] {
  const lists = scenarios.flatMap(({ install }) => Object.values(install));
  return apart.filter((pair) => lists.some((list) => pair.every((name) => list.includes(name))));
}

/** Names of all packages that are for the platform, and those pairs among them that exclude one another. */
async function everyPackage(
  deps: SystestStageDeps,
  {
    input,
    context,
    platform,
  }: { readonly input: StageInput; readonly context: StageContext; readonly platform: Platform },
): Promise<{ readonly names: readonly string[]; readonly apart: readonly Pair[] }> {
  const { own, provided } = repositoriesFor(platform, input);
  const digests = [...provided, ...own].map(({ metadata }) => metadata.manifest);
  const manifests = await Promise.all([...new Set(digests)].map((digest) => readManifest(deps.store, digest)));
  const binaries = manifests.flatMap((manifest) => {
    const { format } = manifest;
    return offeredFiles(manifest).flatMap((file) => (file.kind === 'binary' ? [{ ...file, format }] : []));
  });
  const folder = await mkdtemp(join(context.workdir, 'packages-'));
  return {
    names: [...new Set(binaries.map((file) => file.package))],
    apart: await readApart(deps.store, binaries, folder),
  };
}

interface Done {
  readonly cases: readonly TestCase[];
  /** Pairs that exclude one another. */
  readonly apart: readonly Pair[];
  /** What is kept of the nodes. */
  readonly records: readonly Artifact[];
}

async function report({ store }: SystestStageDeps, { cases, apart, records }: Done): Promise<StageResult> {
  const artifacts = [...(await caseArtifacts(store, cases)), ...records];
  const failed = cases.find(({ failure }) => failure !== undefined);
  const why = apart.length === 0 ? '' : ` (${apart.map((pair) => pair.join(' and ')).join(', ')} exclude one another)`;
  if (failed?.failure !== undefined) {
    const because = failed.name.startsWith('install') ? why : '';
    const summary = `${failed.suite}: ${failed.name}: ${failed.failure.message}${because}`;
    return { result: 'FAILURE', summary, artifacts };
  }
  const suites = [...new Set(cases.map(({ suite }) => suite))];
  const left = cases.flatMap(({ skipped }) => skipped ?? []);
  const whyLeft = left.length === 0 ? '' : `, ${left.length} left out: ${[...new Set(left)].join('; ')}`;
  const passed = `${counted(cases.length - left.length, 'step')} passed${whyLeft}`;
  return { result: 'SUCCESS', summary: `${suites.join(', ')}: ${passed}${why}`, artifacts };
}
