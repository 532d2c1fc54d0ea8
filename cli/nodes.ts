import type { Command } from 'commander';
import { counted } from '../pipelines/model/words.ts';
import type { BuildNodes, NodesView } from '../server/api/types.ts';
import { labelWords } from '../web/labels.ts';
import { ago } from '../web/time.ts';
import { addClientOptions, type ClientOptions, createClient } from './client.ts';
import { addCommand } from './command.ts';
import { duration, paint, print, table } from './output.ts';
import { keyOf } from './queue-tree.ts';

/** Adds `nodes`. */
export function register(program: Command): void {
  addClientOptions(
    addCommand(program, 'nodes', {
      examples: ['sluice nodes', 'sluice nodes --json'],
      details:
        'Lists what each provider of nodes has free, which stand ready, who has which and since when, and who waits for ' +
        'some, in the order in which they are served. Limits are `nodes` in sluice.yaml; where there are none, nobody waits.',
    }),
  ).action(async (options: ClientOptions) => {
    const view = await createClient(options).get<NodesView>('/api/nodes');
    print(view, render, options);
  });
}

/** Tables, those that are empty left out: what is free, also on each host, machines by name, what stands ready, who has what, who waits for what. */
export function render(view: NodesView): string {
  const { providers, lent, waiting, unlisted } = view;
  return [
    freeTable(providers),
    ...hostsTable(providers),
    ...machinesTable(providers),
    ...readyTable(view),
    ...(lent.length === 0 ? ['', 'Nobody has any nodes.'] : ['', lentTable(view)]),
    ...(unlisted.lent === 0 ? [] : [`and ${counted(unlisted.lent, 'other')} with nodes`]),
    ...(waiting.length === 0 ? [] : ['', waitingTable(view)]),
    ...(unlisted.waiting === 0 ? [] : [`and ${counted(unlisted.waiting, 'other')} waiting`]),
  ].join('\n');
}

function freeTable(providers: NodesView['providers']): string {
  const rows = providers.map(({ provider, used, free, most, waiting, machines }) => [
    provider,
    share(used.servers, most.maxServers, free.servers),
    // Of machines that are there nobody counts what is in them.
    machines === undefined ? share(used.cores, most.maxCores, free.cores) : '',
    machines === undefined ? share(used.ramGb, most.maxRamGb, free.ramGb) : '',
    waiting === 0 ? '' : String(waiting),
  ]);
  return table(['PROVIDER', 'NODES', 'CORES', 'MEMORY, GB', 'JOBS WAITING'], rows);
}

/** Hosts of a provider that has several; nothing where none has. */
function hostsTable(providers: NodesView['providers']): readonly string[] {
  const rows = providers
    .flatMap(({ hosts = [] }) => hosts)
    .map(({ takesJobs, most: limits, ...host }) => ({ ...host, takesJobs, most: takesJobs ? limits : {} }))
    .map(({ name, used, most, free, takesJobs, words }) => [
      name,
      share(used.servers, most.maxServers, free.servers),
      share(used.cores, most.maxCores, free.cores),
      share(used.ramGb, most.maxRamGb, free.ramGb),
      takesJobs ? words : paint('yellow', words),
    ]);
  return rows.length === 0 ? [] : ['', table(['HOST', 'NODES', 'CORES', 'MEMORY, GB', 'STATE'], rows)];
}

/** Machines that are there, each by its name; nothing where there are none. */
function machinesTable(providers: NodesView['providers']): readonly string[] {
  const rows = providers
    .flatMap(({ machines = [] }) => machines)
    .map((machine) => [machine.name, machine.labels.join(' '), machineWords(machine)]);
  return rows.length === 0 ? [] : ['', table(['MACHINE', 'LABELS', 'STATE'], rows)];
}

/** Nodes for jobs to come; nothing where none are wished. */
function readyTable({ providers, time }: NodesView): readonly string[] {
  const several = providers.some(({ ready }) => ready.some(({ host }) => host !== undefined));
  const rows = providers.flatMap(({ provider, ready }) =>
    ready.map(({ label, id, host = '', since, words }) => [
      ...[provider, label, id, ...(several ? [host] : [])],
      ...[ago(since, time), words],
    ]),
  );
  const header = ['PROVIDER', 'LABEL', 'NODE', ...(several ? ['HOST'] : []), 'SINCE', 'STATE'];
  return rows.length === 0 ? [] : ['', table(header, rows)];
}

function machineWords({ state, build, why }: NonNullable<NodesView['providers'][number]['machines']>[number]): string {
  if (state === 'out') return paint('red', `out of service: ${why}`);
  return state === 'free' ? paint('green', 'free') : `lent to ${build}`;
}

/** `3 of 4, 1 free`; without a limit how much there is alone. */
function share(used: number, most: number | undefined, free: number | null): string {
  return most === undefined || free === null ? `${used}` : `${used} of ${most}, ${free} free`;
}

function lentTable({ lent, time }: NodesView): string {
  const several = lent.some(({ host }) => host !== undefined);
  const rows = lent.map((one) => [...who(one, time), ...(several ? [one.host ?? ''] : []), stateWords(one, time)]);
  return table([...whoHeader, ...(several ? ['HOST'] : []), 'STATE'], rows);
}

function waitingTable({ waiting, time }: NodesView): string {
  const rows = waiting.map((one) => [String(one.place), ...who(one, time), one.why]);
  return table(['PLACE', ...whoHeader.slice(0, -1), 'WANTS', 'WHY'], rows);
}

const whoHeader = ['PROVIDER', 'LABEL', 'PROJECT', 'CHANGE', 'JOB', 'BUILD', 'SINCE', 'SIZE'] as const;

function who(nodes: BuildNodes, time: number): readonly string[] {
  const { provider, label, project, change, patchset, job, build, since } = nodes;
  return [
    ...[provider, labelWords(label), project ?? '', change === null ? '' : keyOf(change, patchset ?? 0)],
    ...[job ?? '', build, since === null ? '' : ago(since, time), sizeWords(nodes)],
  ];
}

/** Of machines that are there nobody counts what is in them. */
function sizeWords({ servers, cores, ramGb }: BuildNodes): string {
  const inside = cores === 0 && ramGb === 0 ? '' : `, ${counted(cores, 'core')}, ${ramGb} GB`;
  return `${counted(servers, 'node')}${inside}`;
}

function stateWords({ state, hold }: NodesView['lent'][number], time: number): string {
  if (state === 'lost') return paint('yellow', 'its job has ended: being removed');
  if (hold === undefined) return 'at work';
  const { id, until } = hold;
  const end = until === null ? 'until deleted' : `another ${duration(Math.max(0, until - time) / 1000)}`;
  return paint('cyan', `hold ${id}, ${end}`);
}
