import { isPlaybook } from '../../pipelines/model/job.ts';
import { type Platform, providerOf } from '../../pipelines/model/platform.ts';
import type { StageInput } from '../../workflows/contract.ts';
import type { Machine } from '../nodes/port.ts';
import { controlLabel } from '../playbooks/control.ts';
import type { ScriptContext } from './context.ts';
import type { SecretFiles } from './secrets.ts';
import type { ReachedNode } from './session.ts';
import { everyProgram, inside, user } from './workspace.ts';

interface Lending {
  readonly input: StageInput;
  readonly context: ScriptContext;
  readonly secrets: SecretFiles;
}

interface Labels {
  readonly platform: (label: string) => Platform;
  readonly defaultLabel: string;
}

/** Where programs run, and the nodes that playbooks reach from there. */
export interface Lent {
  readonly machine: Machine;
  /** None: the machine is the job's node itself. */
  readonly nodes: readonly ReachedNode[];
}

/** What the programs of a job find writable. */
const scratch = [inside, '/tmp', '/var/tmp'];

/**
 * Lends what the programs of a job run on. One container is all of it, its own control node where they are playbooks;
 * of several nodes, and of others than containers, a container stands apart as the control node.
 */
export async function lendMachines({ platform, defaultLabel }: Labels, lending: Lending): Promise<Lent> {
  const { input, context, secrets } = lending;
  const [first = defaultLabel] = input.nodes.map(({ label }) => label);
  const reaches = reachesNodes(input, platform);
  const closed = isClosed(input, { platform, defaultLabel });
  const own = reaches ? controlLabel(platform(first), defaultLabel) : first;
  const need = {
    name: 'sluice',
    platform: platform(own),
    kind: everyProgram(input).some(isPlaybook) ? 'control' : 'builder',
    network: closed ? 'none' : 'open',
    memory: secrets.memory,
    scratch,
  } as const;
  if (!reaches) return { machine: await context.lease.machine({ ...need, ...(!closed && groupOf(input)) }), nodes: [] };
  const lend = async ({ name, label }: StageInput['nodes'][number]) => {
    const of = platform(label);
    const machine = await context.lease.machine({ name, platform: of, kind: 'control', network: 'open', scratch });
    return { name, label, provider: providerOf(of), user, machine };
  };
  const [machine, ...nodes] = await Promise.all([
    context.lease.machine({ ...need, apart: true }),
    ...input.nodes.map(lend),
  ]);
  const { lease, signal } = context;
  const addresses = await (closed ? lease.seclude(signal) : lease.introduce(signal));
  return { machine, nodes: nodes.map((node) => ({ ...node, address: addresses[node.name] ?? node.name })) };
}

/** What a paused job serves is for the jobs of its build set: their networks lead out. */
function groupOf({ build: { tenant, pipeline, project, change, patchset, buildSet } }: StageInput) {
  return { group: `${tenant}/${pipeline}/${project}/${change},${patchset}/${buildSet}` };
}

/** Whether nothing of a job reaches out: one node that does could lead the others out. */
function isClosed({ nodes }: StageInput, { platform, defaultLabel }: Labels): boolean {
  const labels = nodes.length === 0 ? [defaultLabel] : nodes.map(({ label }) => label);
  return labels.map(platform).every((each) => isContainer(each) && each.network === 'none');
}

/** Whether the playbooks of a job run apart from its nodes. */
function reachesNodes(input: StageInput, platform: Labels['platform']): boolean {
  const { nodes } = input;
  const apart = nodes.length > 1 || nodes.some(({ label }) => !isContainer(platform(label)));
  return apart && everyProgram(input).some(isPlaybook);
}

function isContainer(platform: Platform): boolean {
  return providerOf(platform) === 'docker';
}
