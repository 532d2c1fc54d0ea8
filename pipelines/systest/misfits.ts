import { isPlaybookStep, isRebootStep, type Scenario, type ScenarioStep } from './scenario.ts';

/** What a scenario runs in. */
export interface Known {
  /** Names of the job's nodes. */
  readonly nodes: readonly string[];
  /** Those of them that have no kernel of their own. */
  readonly containers?: readonly string[];
  /** Whether the repository has a file. */
  readonly has: (path: string) => boolean;
}

/** What cannot be done as it is written, and where that is. */
export interface Misfit {
  readonly place: readonly PropertyKey[];
  readonly message: string;
}

type Read = Omit<Scenario, 'name'>;

/** What a scenario wants that the job or the repository does not have, all at once. */
export function misfitsIn(scenario: Read, known: Known): readonly Misfit[] {
  const { deploy, steps } = scenario;
  return [
    ...strangers(scenario, known),
    ...deploy.flatMap((step, position) => stepMisfits(step, ['deploy', position], { scenario, known })),
    ...steps.flatMap((step, position) => stepMisfits(step, ['steps', position], { scenario, known })),
    ...deploy.flatMap((step, position) =>
      'background' in step && step.background
        ? [{ place: ['deploy', position, 'background'], message: 'only one of the steps goes on in the background' }]
        : [],
    ),
  ];
}

/** Where nodes and steps are named that there are none of, beside the steps themselves. */
function strangers({ install, roles, health, steps }: Read, { nodes }: Known): readonly Misfit[] {
  const isStep = (wanted: string) => steps.some(({ name }) => name === wanted);
  return [
    ...Object.keys(install).flatMap((name) => noNode(nodes, name, ['install', name])),
    ...Object.entries(roles).flatMap(([role, members]) =>
      members.flatMap((name, position) => noNode(nodes, name, ['roles', role, position])),
    ),
    ...health.flatMap(({ on, from }, position) => [
      ...noNode(nodes, on, ['health', position, 'on']),
      ...(from === undefined || isStep(from)
        ? []
        : [{ place: ['health', position, 'from'], message: `there is no step of the name ${from}` }]),
    ]),
  ];
}

interface Around {
  readonly scenario: Read;
  readonly known: Known;
}

function stepMisfits(step: ScenarioStep, place: readonly PropertyKey[], around: Around): readonly Misfit[] {
  const { flavours } = around.scenario;
  const there = Object.keys(flavours).join(', ') || 'none';
  const unknown = (step.flavour ?? []).filter((flavour) => !Object.hasOwn(flavours, flavour));
  return [
    ...unknown.map((one) => ({ place: [...place, 'flavour'], message: `flavours has no ${one}: there are ${there}` })),
    ...wayMisfits(step, place, around.known),
  ];
}

function wayMisfits(
  step: ScenarioStep,
  place: readonly PropertyKey[],
  { nodes, containers = [], has }: Known,
): readonly Misfit[] {
  if (isPlaybookStep(step)) {
    const message = `there is no file ${step.playbook} in the repository`;
    return has(step.playbook) ? [] : [{ place: [...place, 'playbook'], message }];
  }
  if (!isRebootStep(step)) return noNode(nodes, step.on, [...place, 'on']);
  const message = `${step.reboot} is a container, and only a machine can be rebooted`;
  return containers.includes(step.reboot)
    ? [{ place: [...place, 'reboot'], message }]
    : noNode(nodes, step.reboot, [...place, 'reboot']);
}

function noNode(nodes: readonly string[], name: string, place: readonly PropertyKey[]): readonly Misfit[] {
  return nodes.includes(name) ? [] : [{ place, message: `must be one of the job's nodes: ${nodes.join(', ')}` }];
}
