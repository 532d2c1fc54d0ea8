import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import type { Artifact } from '../../pipelines/model/job.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import type { TestTask } from '../../pipelines/test-service/request.ts';
import { resultName, type TestResult, testResult } from '../../pipelines/test-service/result.ts';
import type { StageResult } from '../../workflows/contract.ts';
import { look } from '../install/inventory.ts';
import { checkIntegrity, install, kept, remove } from '../install/package.ts';
import { placeScripts, restartNode } from '../install/place-scripts.ts';
import { systemInfoScript } from '../install/system-info.ts';
import { isServerAway } from '../nodes/packages/download-fault.ts';
import { nodeOn } from '../nodes/packages/managers.ts';
import { addRepositories, type Node, onNode } from '../nodes/packages/node.ts';
import type { NodeRepository } from '../nodes/packages/port.ts';
import { problemOf as describeProblem } from '../nodes/packages/problem.ts';
import { unreadable } from '../nodes/packages/unreadable.ts';
import type { BlobStore, StageContext, StageRunner } from '../ports.ts';
import { testOrigin } from '../publish/publish-stage.ts';
import { Recorder } from './recorder.ts';
import { type FetchTree, runThirdParty } from './third-party.ts';

export interface TestStageDeps {
  readonly store: BlobStore;
  /** @throws when no platform has that name. */
  readonly platform: (label: string) => Platform;
  /** A repository's URL as nodes reach it. */
  readonly reach: (url: string) => Promise<string>;
  /** Fetches tests of others. */
  readonly fetchTree: FetchTree;
  /** Hears of each stage that begins, and of whose. */
  readonly begun: (of: { readonly tenant: string; readonly task: string }, stage: string) => Promise<void>;
}

/** Milliseconds that a stage's programs may take each. */
const patience = { provision: 600_000, test: 1_800_000, command: 30_000 } as const;

/** What is never removed, besides what the package manager protects itself. */
const needed = /^(almalinux-release|kernel|kernel-core|dnf)$/;

const taskSchema = z.object({
  ...{ id: z.string(), platform: z.string(), package: z.string(), version: z.string().optional() },
  tests: z
    .array(z.object({ url: z.string(), ref: z.string(), directory: z.string(), only: z.array(z.string()) }))
    .optional(),
  module: z.object({ name: z.string(), stream: z.string() }).optional(),
  excluded: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  repositories: z.array(z.object({ name: z.string(), url: z.string(), suite: z.string().optional() })),
});

interface Trial {
  readonly task: TestTask;
  readonly platform: Platform;
  readonly context: StageContext;
  readonly recorder: Recorder;
}

/** Tests a package that somebody has named, on a plain minimal system, and keeps a record of each stage. */
export function createTestStage(deps: TestStageDeps): StageRunner {
  return async (input, context) => {
    const task = taskSchema.parse(input.vars.task) as TestTask;
    const platform = deps.platform(task.platform);
    const { tenant } = input.build;
    const begun = (stage: string) => {
      context.log.section(stage);
      return deps.begun({ tenant, task: task.id }, stage);
    };
    const recorder = new Recorder({ signal: context.signal, begun });
    await tryPackage(deps, { task, platform, context, recorder });
    return report(deps.store, task, testResult(recorder));
  };
}

/** The stages in their order; where a repository cannot be read, nothing is looked at. */
async function tryPackage(deps: TestStageDeps, trial: Trial): Promise<void> {
  const { platform, context, recorder } = trial;
  const { quiet, restart } = await recorder.begin('start_environment', () => startNode(trial));
  const node = recorder.listen(quiet);
  if (!(await recorder.run('initial_provision', () => provision(deps, trial, node)))) return;
  await recorder.run('system_info', async () => {
    await onNode(node, ['/bin/sh', '-c', systemInfoScript(platform.format)], patience.command);
    return null;
  });
  await placeScripts(quiet, context.workdir);
  await tryInstalled(deps, trial, { quiet, node, restart });
}

async function startNode({ platform, context }: Trial): Promise<Omit<Nodes, 'node'>> {
  const { signal, log, lease } = context;
  const machine = await lease.machine({ name: 'node', platform, kind: 'system', network: 'open' });
  const quiet = nodeOn(machine, { name: 'node', platform, signal, log });
  return { quiet, restart: () => restartNode(quiet, machine, context.workdir) };
}

/** A node, and the same with what its programs say kept. */
interface Nodes {
  readonly quiet: Node;
  readonly node: Node;
  /** Starts it anew. */
  readonly restart: () => Promise<void>;
}

/** What cannot be installed is not looked at; what was is removed, whatever came of it. */
async function tryInstalled(deps: TestStageDeps, trial: Trial, { quiet, node, restart }: Nodes): Promise<void> {
  const { task, context, recorder } = trial;
  const before = await look(quiet, 'known', patience.command);
  if (!(await recorder.run('install_package', () => installIn(node, task)))) return;
  const installed = await look(quiet, 'came', patience.command);
  await recorder.run('package_integrity_tests', async () => {
    await quiet.door?.close();
    return (await checkVersion(node, task)) ?? (await checkIntegrity(node, task.package, patience.test)).problem;
  });
  const reinstall = async () => {
    // What a test says is its own: of this the log has all.
    const gone = await installIn(quiet, task);
    if (gone !== null) return gone;
    const again = await onNode(quiet, quiet.manager.reinstall([{ name: task.package }]), patience.test);
    return again.code === 0 ? null : 'the package cannot be installed again';
  };
  await runThirdParty({ task, context, recorder, node, reinstall, restart, fetchTree: deps.fetchTree });
  await recorder.run('uninstall_package', async () => {
    if (needed.test(task.package)) node.log.write(`not removed: ${kept}\n`);
    else return (await remove(node, task.package, { before, installed, timeout: patience.test })).problem;
    return null;
  });
}

async function installIn(node: Node, { package: name, version }: TestTask): Promise<string | null> {
  return (await install(node, { name, version, debug: false }, patience.test)).problem;
}

/** Has a node as the request wants it. What cannot be had is the request's own fault. */
async function provision(deps: TestStageDeps, trial: Trial, node: Node): Promise<string | null> {
  return (await offer(deps, trial, node)) ?? chooseModule(trial, node);
}

/** Offers the request's repositories to the node. */
async function offer(deps: TestStageDeps, { task, platform, context }: Trial, node: Node): Promise<string | null> {
  if (task.repositories.length === 0) return null;
  const pins = task.version === undefined ? {} : { pins: [{ name: task.package, version: task.version }] };
  const offered = task.repositories.map(async ({ url, suite }): Promise<NodeRepository> => {
    const codename = platform.format === 'deb' ? (suite ?? platform.codename) : '';
    return { url: await deps.reach(url), codename, origin: testOrigin, kind: 'test', ...pins };
  });
  const repositories = await Promise.all(offered);
  const { workdir } = context;
  const added = await addRepositories(node, repositories, { workdir, timeout: patience.provision });
  if (added.code === 0) return null;
  const fault = `a repository cannot be read: ${unreadable(added.output, repositories)}`;
  // It may be there again for the next attempt.
  if (added.timedOut || isServerAway(added.output)) throw new Error(fault);
  return fault;
}

async function chooseModule({ task: { module } }: Trial, node: Node): Promise<string | null> {
  if (module === undefined) return null;
  const { name, stream } = module;
  for (const argv of node.manager.selectModule?.(name, stream) ?? []) {
    const done = await onNode(node, argv, patience.provision);
    if (done.code !== 0) return `the module ${name}:${stream} cannot be enabled: ${describeProblem(done)}`;
  }
  return null;
}

/** Whether what is installed is what was asked for. */
async function checkVersion(node: Node, { package: name, version }: TestTask): Promise<string | null> {
  if (version === undefined) return null;
  const { signal, manager } = node;
  const { output } = await node.machine.exec(manager.installed, { signal, timeout: patience.command });
  const found = output.split('\n').find((line) => line.split('\t')[0]?.replace(/:.*/, '') === name);
  const there = found?.split('\t')[1]?.trim();
  if (there === undefined) return `${name} is not installed`;
  const same = there === version || there === version.replace(/^0:/, '') || there.replace(/^\d+:/, '') === version;
  return same ? null : `${name} ${there} is installed, not ${version}`;
}

async function report(store: BlobStore, { id, package: name }: TestTask, result: TestResult): Promise<StageResult> {
  const logs = Object.entries(result.result).map(async ([stage, { stdout, stderr }]): Promise<Artifact> => {
    const called = `${stage.replaceAll('/', '_')}_${id}.log.gz`;
    const { digest } = await store.put(gzipSync(`${stdout}${stderr}`));
    return { name: called, url: store.url(digest, called) };
  });
  const { digest } = await store.put(`${JSON.stringify(result, null, 2)}\n`);
  const artifacts = [{ name: resultName, url: store.url(digest, resultName) }, ...(await Promise.all(logs))];
  const bad = Object.entries(result.summary).find(([, { success }]) => !success);
  if (bad === undefined) return { result: 'SUCCESS', summary: `${name} passed`, artifacts };
  const said = result.result[bad[0]]?.stderr.trim().split('\n').at(-1) ?? '';
  return { result: 'FAILURE', summary: `${bad[0]}: ${said.slice(0, 500)}`, artifacts };
}
