import type Docker from 'dockerode';
import { ask } from './faults.ts';
import { dataLabel, installationLabel } from './labels.ts';

/** Who uses an engine: see `infra/stack/installation.ts`. */
export interface Registered {
  readonly id: string;
  /** Its data directory, for people. */
  readonly data: string;
}

/** What marks an installation in the engine itself, so that others know of it: an empty volume. */
export function registrationName(id: string): string {
  return `sluice-installation-${id}`;
}

/** Lets the other installations on this engine know of one; doing it again is harmless. */
export async function register(docker: Docker, { id, data }: Registered): Promise<void> {
  const Labels = { [installationLabel]: id, [dataLabel]: data };
  await ask('register an installation', docker.createVolume({ Name: registrationName(id), Labels }));
}

/** The installations that use an engine. */
export async function registeredIn(docker: Docker): Promise<readonly Registered[]> {
  const filters = { label: [dataLabel] };
  const { Volumes } = await ask('list installations', docker.listVolumes({ filters }));
  return (Volumes ?? []).map(({ Labels }) => ({
    id: Labels?.[installationLabel] ?? '',
    data: Labels?.[dataLabel] ?? '',
  }));
}
