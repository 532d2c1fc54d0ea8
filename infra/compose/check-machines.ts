import { givenDirectory } from '../../activities/nodes/registry.ts';
import { faultOf } from '../../activities/nodes/static/clean.ts';
import { readState } from '../../activities/nodes/static/records.ts';
import type { GivenSettings } from '../../activities/nodes/static/settings.ts';
import type { Config } from '../config/load.ts';
import { givenMachines } from './given-machines.ts';

/** Something that keeps a static machine from being lent, and what to do about it. */
export interface MachineFinding {
  readonly part: 'static machines';
  readonly missing: string;
  readonly mend: string;
}

/** What of the keys of static machines cannot be read, by its place in the configuration. */
export async function unreadableKeys({ nodes }: Pick<Config, 'nodes'>): Promise<readonly string[]> {
  const found = await Promise.all(
    givenMachines(nodes).map(({ name, key }) =>
      key().then(
        () => [],
        ({ message }: Error) => [`nodes.static.${name}.key: ${message}: no job is lent ${name}`],
      ),
    ),
  );
  return found.flat();
}

/** Logs in to each static machine, and reads whether its last cleaning has failed. */
export async function checkMachines({
  nodes,
  data,
}: Pick<Config, 'nodes' | 'data'>): Promise<readonly MachineFinding[]> {
  const found = await Promise.all(givenMachines(nodes).map((machine) => check(machine, givenDirectory(data))));
  return found.flat();
}

async function check(machine: GivenSettings, directory: string): Promise<readonly MachineFinding[]> {
  const [fault, state] = await Promise.all([faultOf(machine), readState(directory, machine.name)]);
  const part = 'static machines';
  if (fault !== null) {
    const { user, host, port, name } = machine;
    const mend = `look at nodes.static.${name} in sluice.yaml, and at: ssh -p ${port} ${user}@${host}`;
    return [{ part, missing: `${name}: ${fault}`, mend }];
  }
  if (state?.state !== 'out') return [];
  const mend = `mend nodes.static.${machine.name}.clean, or the machine: another cleaning is tried every minute`;
  return [{ part, missing: `${machine.name} is out of service: ${state.why}`, mend }];
}
