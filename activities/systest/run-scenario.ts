import { setTimeout as sleep } from 'node:timers/promises';
import type { TestCase } from '../../pipelines/report/junit.ts';
import { flavoursOf } from '../../pipelines/systest/flavours.ts';
import {
  isPlaybookStep,
  isRebootStep,
  type ProgramStep,
  type RebootStep,
  type Scenario,
  type ScenarioStep,
} from '../../pipelines/systest/scenario.ts';
import { listInstalled } from '../install/inventory.ts';
import { sourceDirectory } from '../install/place-scripts.ts';
import { oldOnes } from '../install/under-test.ts';
import { type Node, onNode } from '../nodes/packages/node.ts';
import type { ExecResult } from '../nodes/port.ts';
import { Health } from './health.ts';
import type { Laboratory } from './laboratory.ts';
import { failureOf, installOn, recorded, type StepRun, timed } from './problem.ts';

/** Milliseconds for the installation on one node. */
const installTimeout = 600_000;
/** Milliseconds between two tries of a step with `within`. */
const pause = 300;

/** What scenarios are run about. */
export interface UnderTest {
  /** Names of the packages: a step of a flavour is run where one of its packages is among them. */
  readonly packages: readonly string[];
  /** Gets what was done, also where this comes to no end. */
  readonly cases?: TestCase[];
}

/**
 * Runs scenarios one after the other, each to its end or its first failure; the steps after that are reported as
 * skipped. All is installed and deployed before, because nothing can be had from outside while a scenario runs.
 */
export async function runScenarios(
  laboratory: Laboratory,
  scenarios: readonly Scenario[],
  { packages, cases = [] }: UnderTest,
): Promise<TestCase[]> {
  let before = 0;
  const runAll = async (part: 'deploy' | 'steps') => {
    for (const scenario of scenarios) {
      await runSteps({ laboratory, scenario, packages, cases, background: [] }, part, before);
      before += scenario[part].length;
    }
  };
  for (const scenario of scenarios) await installFor(laboratory, scenario, cases);
  if (!cases.some(isFailed)) await runAll('deploy');
  if (cases.some(isFailed)) return cases;
  await laboratory.closeDoors();
  await runAll('steps');
  return cases;
}

/** Nodes that the scenario installs nothing on stay as they are: what is under test may be an upgrade that it makes itself. */
async function installFor(laboratory: Laboratory, { name: suite, install }: Scenario, cases: TestCase[]) {
  for (const [name, packages] of Object.entries(install)) {
    const node = nodeOf(laboratory, name);
    node.log.section(`${suite}: install on ${name}`);
    const old = oldOnes(node, await listInstalled(node, installTimeout));
    const wanted = [...packages.map((each) => ({ name: each })), ...old.filter((one) => !packages.includes(one.name))];
    await recorded(cases, { suite, name: `install on ${name}` }, () => installOn(node, wanted, installTimeout));
  }
}

/** A step that goes on while the next ones run. */
interface Background {
  readonly name: string;
  readonly step: ProgramStep;
  /** Absent while it runs. */
  ended?: ExecResult;
  /** What kept it from being run at all. */
  fault?: unknown;
  /** Its node has booted anew since: how it ended says nothing. */
  over?: boolean;
}

/** @param before how many steps were there before these */
async function runSteps(running: Running, part: 'deploy' | 'steps', before: number): Promise<void> {
  const { laboratory, scenario, packages, background, cases } = running;
  const { name: suite } = scenario;
  const save = scenario.snapshots === 'each-step';
  const own: TestCase[] = [];
  const checks = part === 'steps' ? scenario.health : [];
  const health = new Health(checks, (check) => runStep(nodeOf(laboratory, check.on), check));
  const present = flavoursOf(scenario.flavours, packages);
  try {
    await health.examine();
    for (const [position, step] of scenario[part].entries()) {
      const name = step.name ?? `${part === 'steps' ? 'step' : part} ${position + 1}${onNodeOf(step)}`;
      const skipped = whySkipped({ health, own }) ?? notMeant(step, present);
      if (skipped !== undefined) {
        own.push({ suite, name, seconds: 0, skipped });
        continue;
      }
      await laboratory.beginStep({ number: before + position + 1, name: `${suite}: ${name}`, save });
      laboratory.log.section(`${suite}: ${name}`);
      const run = () => runAny(running, step, name);
      await recorded(own, { suite, name }, async () => withEnded(await run(), background));
      if (!own.some(isFailed)) await health.examine(step.name);
    }
  } finally {
    cases.push(...own, ...health.cases(suite));
  }
}

/** Why the steps that are left are not run; undefined: they are. */
function whySkipped({
  health,
  own,
}: {
  readonly health: Health;
  readonly own: readonly TestCase[];
}): string | undefined {
  if (health.failed) return 'a health check failed';
  return own.some(isFailed) ? 'an earlier step failed' : undefined;
}

/** Why a step is left out because of what is under test; undefined: it is not. */
function notMeant({ flavour }: ScenarioStep, present: ReadonlySet<string>): string | undefined {
  if (flavour === undefined || flavour.some((one) => present.has(one))) return undefined;
  return `no package of ${flavour.join(' or ')} is under test`;
}

function onNodeOf(step: ScenarioStep): string {
  if (isPlaybookStep(step)) return '';
  return ` on ${isRebootStep(step) ? step.reboot : step.on}`;
}

interface Running {
  readonly laboratory: Laboratory;
  readonly scenario: Scenario;
  readonly packages: readonly string[];
  readonly cases: TestCase[];
  readonly background: Background[];
}

async function runAny({ laboratory, scenario, background }: Running, step: ScenarioStep, name: string) {
  if (isPlaybookStep(step)) return laboratory.play(step, scenario.roles);
  if (isRebootStep(step)) {
    // What runs there ends with it.
    for (const one of background.filter(({ step: { on } }) => on === step.reboot)) one.over = true;
    return reboot(nodeOf(laboratory, step.reboot), step);
  }
  const node = nodeOf(laboratory, step.on);
  if (!step.background) return runStep(node, step);
  background.push(begin(node, step, name));
  return { seconds: 0 };
}

/** It ends when its node is removed, or before: what it says is in the log either way. */
function begin(node: Node, step: ProgramStep, name: string): Background {
  const { signal, log, manager } = node;
  const running: Background = { name, step };
  node.machine.exec(argvOf(step), { signal, log, env: manager.environment }).then(
    (ended) => Object.assign(running, { ended }),
    (fault) => Object.assign(running, { fault }),
  );
  return running;
}

/**
 * A step that fails may do so because another in the background has ended: a server that is no longer there.
 *
 * @throws what has kept one of those from being run
 */
function withEnded(run: StepRun, background: readonly Background[]): StepRun {
  const lost = background.find(({ fault, over }) => fault !== undefined && !over);
  if (lost) throw lost.fault;
  const { failure } = run;
  if (failure === undefined) return run;
  const ends = background.flatMap(({ name, step, ended, over }) => {
    const why = over || ended === undefined || ended.code === step.expect.code ? null : mismatch(step, ended);
    return why === null ? [] : [`; before that, ${JSON.stringify(name)} ${why}`];
  });
  return { ...run, failure: { ...failure, message: failure.message + ends.join('') } };
}

/** A node that does not come back in time has failed, whatever has kept it. */
async function reboot({ name, machine, log, signal }: Node, { timeout }: RebootStep): Promise<StepRun> {
  const started = performance.now();
  if (machine.restart === undefined) throw new Error(`${name} cannot be rebooted`);
  log.write(`${name} boots anew\n`);
  const late = AbortSignal.timeout(timeout * 1000);
  try {
    await machine.restart(AbortSignal.any([signal, late]));
  } catch (error) {
    signal.throwIfAborted();
    if (!late.aborted) throw error;
    const message = `${name} does not answer ${timeout} s after it was rebooted`;
    return { ...timed(started), failure: { message, text: '' } };
  }
  return timed(started);
}

/** What is run and looked at. */
type Program = Pick<ProgramStep, 'run' | 'expect' | 'within' | 'timeout'>;

function argvOf({ run }: Pick<Program, 'run'>): readonly string[] {
  return ['env', '-C', sourceDirectory, 'sh', '-e', '-c', run];
}

async function runStep(node: Node, step: Program): Promise<StepRun> {
  const started = performance.now();
  const argv = argvOf(step);
  const until = started + step.within * 1000;
  let result = await onNode(node, argv, step.timeout * 1000);
  while (mismatch(step, result) !== null && performance.now() < until) {
    await sleep(pause, undefined, { signal: node.signal });
    result = await onNode(node, argv, step.timeout * 1000);
  }
  return { ...timed(started), ...failureOf(mismatch(step, result), result) };
}

/** What is not as the step expects it, in one line; null when all is. */
function mismatch({ expect, timeout }: Program, { code, output, timedOut }: ExecResult): string | null {
  const last = output.trim().split('\n').at(-1) ?? '';
  if (timedOut) return `not done after ${timeout} s`;
  if (code !== expect.code) return `ended with ${code} instead of ${expect.code}${last === '' ? '' : `: ${last}`}`;
  if (output.includes(expect.output)) return null;
  return `said ${JSON.stringify(last.slice(0, 200))}, not ${JSON.stringify(expect.output)}`;
}

function isFailed({ failure }: TestCase): boolean {
  return failure !== undefined;
}

function nodeOf(laboratory: Laboratory, name: string): Node {
  const node = laboratory.nodes.get(name);
  if (node === undefined) throw new Error(`the job has no node ${name}`);
  return node;
}
