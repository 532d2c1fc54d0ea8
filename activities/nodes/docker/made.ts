import type Docker from 'dockerode';
import type { Made } from '../port.ts';
import { ask } from './faults.ts';
import { buildLabel, holderLabel, installationLabel } from './labels.ts';

/** What there is of everything that was made for an installation, running or not, each build once for each holder. */
export async function listMade(docker: Docker, installation: string): Promise<readonly Made[]> {
  const filters = { label: [`${installationLabel}=${installation}`, buildLabel] };
  const [containers, networks, { Volumes }] = await Promise.all([
    ask('list containers', docker.listContainers({ all: true, filters })),
    ask('list networks', docker.listNetworks({ filters })),
    ask('list volumes', docker.listVolumes({ filters })),
  ]);
  const found = new Map<string, Made>();
  for (const { Labels } of [...containers, ...networks, ...(Volumes ?? [])]) {
    const { [buildLabel]: build, [holderLabel]: holder } = Labels ?? {};
    if (build === undefined) continue;
    found.set(JSON.stringify([build, holder]), { build, ...(holder === undefined ? {} : { holder }) });
  }
  return [...found.values()];
}
