import { type Platform, providerOf } from '../../pipelines/model/platform.ts';
import type { PlaybookStep, Scenario } from '../../pipelines/systest/scenario.ts';
import type { StageInput } from '../../workflows/contract.ts';
import { sourceDirectory } from '../install/place-scripts.ts';
import type { Node } from '../nodes/packages/node.ts';
import type { Addresses, Machine } from '../nodes/port.ts';
import { play } from '../playbooks/play.ts';
import type { StageContext } from '../ports.ts';
import { failureOf, type StepRun, timed } from './problem.ts';

interface Stage {
  readonly machine: Machine | undefined;
  readonly nodes: readonly Node[];
  readonly addresses: Addresses;
  readonly platform: (label: string) => Platform;
  readonly input: StageInput;
  readonly tree: string;
  readonly context: StageContext;
}

/** Runs a playbook over the nodes as root, in the source tree, like the steps beside it. */
export async function playStep(stage: Stage, step: PlaybookStep, roles: Scenario['roles']): Promise<StepRun> {
  const { machine, input, tree, context } = stage;
  if (machine === undefined) throw new Error('no machine was started for playbooks');
  const { signal, log } = context;
  const started = performance.now();
  const { fault, output } = await play({
    ...{ control: machine, nodes: reachedIn(stage), tree, playbook: step.playbook, log, signal },
    groups: Object.entries(roles).map(([name, nodes]) => ({ name, nodes })),
    vars: input.vars,
    cwd: sourceDirectory,
    timeout: step.timeout * 1000,
  });
  return { ...timed(started), ...failureOf(fault, { output }) };
}

function reachedIn({ nodes, input, addresses, platform }: Stage) {
  const machines = new Map(nodes.map(({ name, machine }) => [name, machine]));
  return input.nodes.flatMap((node) => {
    const machine = machines.get(node.name);
    const address = addresses[node.name] ?? node.name;
    return machine === undefined
      ? []
      : [{ ...node, machine, provider: providerOf(platform(node.label)), address, user: 'root' }];
  });
}
