import { dirname } from 'node:path';
import { inventoryOf, namesOf, type PlaybookHosts } from '../../../pipelines/playbooks/inventory.ts';
import { playbookFault, playbookLate, unmatchedPlays } from '../../../pipelines/playbooks/outcome.ts';
import { Literal } from '../../../pipelines/playbooks/variables.ts';
import type { ExecResult } from '../../nodes/port.ts';
import { type Channel, openChannel } from '../../playbooks/channel.ts';
import { ansibleCommand, control, placeControl, takeRecord, writeVariables } from '../../playbooks/control.ts';
import type { Session } from '../session.ts';
import { inside, rolesPath, user } from '../workspace.ts';
import type { Runner, Running } from './runner.ts';

const jobVariables = `${control}/job.yaml`;
const runVariables = `${control}/run.yaml`;

const nobody: PlaybookHosts = { nodes: [], groups: [], hostVars: {}, groupVars: {}, extraVars: {}, returned: [] };

/** Ansible playbooks: they run on the machine of the job's programs, and from there reach its nodes and nothing else. */
export const ansibleRunner: Runner = {
  async prepare(of) {
    const { session, options, place } = of;
    await writeVariables(session.machine, { path: runVariables, variables: aboutRun(of), signal: options.signal });
    const variables = [...(place.variables === undefined ? [] : [place.variables]), jobVariables, runVariables];
    const home = place.env.HOME ?? inside;
    const { argv, env } = ansibleCommand({ program: place.program, variables, roles: rolesOf(of), home });
    const channel = await channelOf(of);
    return channel === undefined ? { argv, env } : { argv, env: { ...env, ...channel.env }, end: channel.close };
  },
  async judge({ session, script, options, place }: Running, { code, output, timedOut }: ExecResult) {
    const record = await takeRecord(session.machine, options.signal);
    const root = rootOf(place.program, script.path);
    const hosts = namesOf(session.input.programs?.playbooks ?? nobody);
    const run = { path: script.path, root, hosts, code, output, record };
    const remarks = [...session.returned.remarks, ...unmatchedPlays(run)];
    session.returned = { ...session.returned, remarks };
    return timedOut ? { result: 'TIMED_OUT', summary: playbookLate(run) } : playbookFault(run);
  },
};

/** The way to the nodes, where there are others than the machine itself. */
async function channelOf({ session, options: { signal } }: Running): Promise<Channel | undefined> {
  if (session.nodes.length === 0) return undefined;
  const nodes = new Map(session.nodes.map(({ name, machine }) => [name, machine]));
  return openChannel({ control: session.machine, nodes, as: { user, cwd: inside, home: inside }, signal });
}

/**
 * Puts what playbooks need besides the sources onto the machine where they run.
 *
 * @param variables the job's, with `zuul`
 * @returns why it cannot run playbooks
 */
export async function preparePlaybooks(
  session: Session,
  variables: Readonly<Record<string, unknown>>,
): Promise<string | undefined> {
  const { input, machine, nodes, context } = session;
  const { signal } = context;
  const label = input.nodes[0]?.label ?? 'the usual platform';
  const hosts = input.programs?.playbooks ?? nobody;
  const { zuul, ...vars } = variables;
  const able = await placeControl(machine, { nodes, inventory: inventoryOf(hosts, vars, nodes), signal });
  if (!able) return `there is no ansible-playbook on nodes of ${label}: install ansible-core in its image`;
  const fixed = { ansible_user_dir: inside, zuul_user_dir: inside, zuul: new Literal(zuul) };
  await writeVariables(machine, { path: jobVariables, variables: { ...hosts.extraVars, ...fixed }, signal });
  return undefined;
}

/** What Zuul tells each playbook about its run. */
function aboutRun({ script, options: { phase, success } }: Running): Readonly<Record<string, unknown>> {
  const { project, branch, path, trusted } = script;
  return {
    zuul_execution_phase: phase.replace('-run', ''),
    zuul_execution_trusted: trusted,
    zuul_execution_branch: new Literal(branch),
    zuul_execution_canonical_name_and_path: new Literal(`${project}/${path}`),
    ...(success === undefined ? {} : { zuul_success: success }),
  };
}

/**
 * Where a playbook finds roles besides those beside it: in its own repository first. A repository that is itself a role
 * is one by its name, where no folder has a role of that name.
 */
function rolesOf({ session: { input }, script, place: { program, sources } }: Running): readonly string[] {
  const others = (script.roles ?? []).map(({ project }) => rolesPath({ input, sources }, script, project));
  return [`${rootOf(program, script.path)}/roles`, ...others, ...others.map((roles) => dirname(dirname(roles)))];
}

/** The directory of a playbook's repository. */
function rootOf(program: string, path: string): string {
  return program.slice(0, -path.length - 1);
}
