import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceState } from '../../pipelines/model/artifact.ts';
import type { Playbook } from '../../pipelines/model/job.ts';
import type { Programs, StageInput } from '../../workflows/contract.ts';
import { configurationFault } from '../failure.ts';
import { checkBranch, checkProject } from '../git/names.ts';
import type { Machine } from '../nodes/port.ts';
import { playbookHome, playbookUser } from '../playbooks/control.ts';
import { jobVariables, outputPath } from './variables.ts';

/** What a checkout needs to know. */
export type Checkout = Pick<SourceState, 'project' | 'branch' | 'commit'>;

export interface WorkspaceDeps {
  /** Checks a commit out into a directory. */
  readonly sources: (state: Checkout, directory: string, signal: AbortSignal) => Promise<unknown>;
  /** The commit that a branch is at; null where there is no such project or branch. */
  readonly branchTip: (project: string, branch: string) => Promise<string | null>;
}

/** Where the sources are on the machine: one directory for each project. It is the programs' home, too. */
export const inside = playbookHome;
/** Where programs are that are not in the sources as the job has them; nobody but root may write there. */
const apart = '/opt/sluice/programs';
/** Likewise the projects that roles are taken from. */
const rolesApart = '/opt/sluice/roles';
/** The job's variables. */
export const variablesPath = `${inside}/.sluice-variables.json`;
/** Who runs the programs. */
export const user = playbookUser;

/** Project to its state in the sources; the job's own project is as its change has it. */
function checkedOut({ source, sources }: StageInput): ReadonlyMap<string, SourceState> {
  return new Map([...sources, source].map((state) => [state.project, state]));
}

/** Whether the program is run from the sources: trusted ones are taken as they were merged. */
function isInSources(input: StageInput, { trusted, project, branch }: Playbook): boolean {
  return !trusted && checkedOut(input).get(project)?.branch === branch;
}

/** Absolute path of a program on the machine. */
export function programPath(input: StageInput, script: Playbook): string {
  const { project, branch, path } = script;
  return isInSources(input, script) ? `${inside}/${project}/${path}` : `${apart}/${project}@${branch}/${path}`;
}

/** Where a playbook finds the roles of another project: a trusted one as they were merged, like itself. */
export function rolesPath(
  { input, sources }: { readonly input: StageInput; readonly sources: string },
  { trusted }: Playbook,
  project: string,
): string {
  return `${!trusted && checkedOut(input).has(project) ? sources : rolesApart}/${project}/roles`;
}

const lists = { preRun: [], run: [], postRun: [], failureOutput: [], requiredProjects: [] };
export const noPrograms: Programs = { ...lists, preTimeout: null, postTimeout: null };

/** All of a job's programs. */
export function everyProgram({ programs = noPrograms }: Pick<StageInput, 'programs'>): readonly Playbook[] {
  return [...programs.preRun, ...programs.run, ...programs.postRun];
}

/** Programs that are not in the sources, by the branch that each is taken from. */
export interface OtherPrograms {
  readonly checkouts: readonly Checkout[];
  /** The first program whose project or branch does not exist. */
  readonly lost?: Playbook;
}

/** Finds the branches that programs come from, where they are not in the sources. */
export async function otherPrograms(
  { branchTip }: WorkspaceDeps,
  input: StageInput,
  scripts: readonly Playbook[],
): Promise<OtherPrograms> {
  const checkouts = new Map<string, Checkout>();
  for (const script of scripts.filter((one) => !isInSources(input, one))) {
    const { project, branch, trusted } = script;
    const prepared = input.sources.find((state) => !trusted && state.project === project && state.branch === branch);
    const commit = prepared?.commit ?? (await branchTip(project, branch));
    if (commit === null) return { checkouts: [], lost: script };
    checkouts.set(`${project}@${branch}`, { project, branch, commit });
  }
  return { checkouts: [...checkouts.values()] };
}

interface Workspace {
  readonly input: StageInput;
  readonly machine: Machine;
  /** Nodes that get the sources as well. */
  readonly nodes: readonly { readonly machine: Machine }[];
  readonly checkouts: readonly Checkout[];
  readonly required: readonly Checkout[];
  readonly roles: readonly Checkout[];
  /** An empty directory. */
  readonly workdir: string;
  readonly signal: AbortSignal;
}

/** Puts sources, programs and variables onto the machine. @returns the variables */
export async function fillWorkspace(
  deps: WorkspaceDeps,
  workspace: Workspace,
): Promise<Readonly<Record<string, unknown>>> {
  const { input, machine, nodes, checkouts, required, roles, workdir, signal } = workspace;
  const sources = join(workdir, 'sources');
  const states = new Map<string, Checkout>(checkedOut(input));
  for (const state of required) states.set(state.project, state);
  // A job that somebody starts by hand may name what it likes.
  for (const { project, branch } of [...states.values(), ...checkouts, ...roles]) requireNames(project, branch);
  for (const [project, state] of states) await check(deps, state, { into: join(sources, project), signal });
  const variables = jobVariables(input, [...states.values()]);
  await writeFile(join(sources, '.sluice-variables.json'), JSON.stringify(variables));
  const programs = join(workdir, 'programs');
  for (const state of checkouts) {
    await check(deps, state, { into: join(programs, `${state.project}@${state.branch}`), signal });
  }
  const others = join(workdir, 'roles');
  for (const state of roles) await check(deps, state, { into: join(others, state.project), signal });
  await mustExec({ machine, what: 'sources', signal }, ['mkdir', '-p', apart, rolesApart]);
  if (checkouts.length > 0) await machine.put(programs, apart);
  if (roles.length > 0) await machine.put(others, rolesApart);
  await Promise.all([machine, ...nodes.map((node) => node.machine)].map((each) => putSources(each, sources, signal)));
  return variables;
}

async function putSources(machine: Machine, sources: string, signal: AbortSignal): Promise<void> {
  const preparation = { machine, what: 'sources', signal } as const;
  const output = ['logs', 'artifacts', 'docs'].map((name) => `${outputPath}/${name}`);
  await mustExec(preparation, ['mkdir', '-p', inside, ...output]);
  await machine.put(sources, inside);
  await mustExec(preparation, ['chown', '-R', user, inside]);
}

/** @throws a fault that no try mends, for names that could lead out of the directory that they are put into */
function requireNames(project: string, branch: string): void {
  try {
    checkProject(project);
    if (branch !== '') checkBranch(branch);
  } catch (error) {
    throw configurationFault((error as Error).message);
  }
}

async function check(
  { sources }: WorkspaceDeps,
  state: Checkout,
  { into, signal }: { readonly into: string; readonly signal: AbortSignal },
): Promise<void> {
  await mkdir(into, { recursive: true });
  await sources(state, into, signal);
}

/** What is put onto a machine, and how. */
interface Preparation {
  readonly machine: Machine;
  readonly what: 'sources' | 'secrets';
  readonly signal: AbortSignal;
}

/** Reads a file as the programs' own user would, as far as the limit goes, and removes it. @param limit bytes */
export async function takeText(
  machine: Machine,
  { path, limit, signal }: { readonly path: string; readonly limit: number; readonly signal: AbortSignal },
): Promise<string> {
  const command = `if test -f "$0"; then head -c ${limit} "$0"; fi; rm -rf "$0"`;
  return (await machine.exec(['/bin/sh', '-c', command, path], { user, signal })).output;
}

/** @throws with what the program said when it fails */
export async function mustExec(of: Preparation, argv: readonly string[], input?: string): Promise<void> {
  const { machine, what, signal } = of;
  const { code, output } = await machine.exec(argv, { signal, ...(input === undefined ? {} : { input }) });
  if (code !== 0) throw new Error(`cannot prepare the ${what}: ${argv[0]}: ${output}`);
}
